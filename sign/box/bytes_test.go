package box

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// The test counts the bytes that the broker sends to a sign in a day, with MQTT's
// overhead and the sign's own repeated subscriptions: ten messages in slots of
// 8 s and one new program. It compares them with sending a frame at each change
// and with 25 frames a second.
func TestBytesOfADay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays for a day with ten pictures")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.conf.Class = "128x64-rgb"
		counted := map[string]int{} // by kind of topic
		var total int64
		w.start(true, func(o *Options) {
			o.Network = func(l link.Options) (Runner, error) {
				hear := l.Message
				l.Message = func(m link.Message) {
					counted[m.Topic]++
					total += int64(len(m.Topic) + len(m.Payload) + 5) // its fixed header, and the topic's length
					hear(m)
				}
				return w.n.dial(l)
			}
		})
		defer w.halt()
		w.sendKeys(rootKey)
		program := func(first uint8) (one int64, doc int) {
			p := &timeline.Program{Header: w.header(wire.RoleProgram, wire.LifeProgram), Sign: w.conf.Sign, Class: w.conf.Class,
				Areas: []string{"quang-ngai/son-tinh"}, Loops: []timeline.Loop{{Anchor: time.Now().Unix()}},
				CommLoss: timeline.CommLoss{AfterS: 86400}}
			for i := range uint8(10) {
				f, data := card(t, first+i)
				w.n.mu.Lock()
				w.n.retained[wire.FrameTopic("public", f.SHA256)] = data
				w.n.mu.Unlock()
				one += f.Len
				p.Frames = append(p.Frames, f)
				p.Items = append(p.Items, timeline.Item{ID: "message-of-january-" + string('a'+rune(i)),
					Owner: "public", Campaign: "bluezone", Steps: []timeline.Step{{Frame: int64(i), MS: 8000}}})
				p.Loops[0].Order = append(p.Loops[0].Order, int64(i))
			}
			for i := range int64(30) { // dayparts and brightness of a week
				from := p.Iat - 600 + i*20000
				p.Segments = append(p.Segments, timeline.Segment{From: from, Until: from + 20000, Why: "schedule:ban-ngay"})
				p.Brightness = append(p.Brightness, timeline.Brightness{From: from, Until: from + 20000, Percent: 40 + i})
			}
			return one / 10, len(w.sendProgram(p))
		}
		one, doc := program(1)
		time.Sleep(12 * time.Hour)
		program(5) // six of its frames are there already
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		const pongs = 2 * 86400 / 30 // keep-alive
		total += pongs
		changes, stream := one*86400/8, one*86400*25
		t.Logf("a program of %d bytes came %d times, the keys %d times; "+
			"with ten frames of about %d bytes, four more and MQTT's own: %d bytes in the day. "+
			"A frame at each change: %d, 1/%d of it; 25 frames a second: 1/%d",
			doc, counted[wire.SignTopic("qn-001", wire.LeafProgram)], counted[wire.TopicKeys], one, total, changes,
			changes/total, stream/total)
		if total*100 > changes || total*10_000 > stream {
			t.Error("over 1/100 of a frame at each change, or 1/10,000 of a stream")
		}
		if n := counted[wire.SignTopic("qn-001", wire.LeafProgram)]; n < 4 {
			t.Errorf("the program came %d times: the sign does not subscribe again by itself", n)
		}
	})
}

// card is a 128x64 frame of about as many bytes as a card with text.
func card(t *testing.T, n uint8) (timeline.Frame, []byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 1))
	img := image.NewPaletted(image.Rect(0, 0, 128, 64), color.Palette{color.RGBA{0, 0, 0, 255},
		color.RGBA{255, 255, 255, 255}, color.RGBA{n, 90, 90, 255}, color.RGBA{200, n, 0, 255}})
	for range 560 { // strokes
		x, y, c := r.IntN(120), r.IntN(64), uint8(1+r.IntN(3))
		for i := range 2 + r.IntN(6) {
			img.SetColorIndex(x+i, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return timeline.Frame{SHA256: wire.Digest(b.Bytes()), Len: int64(b.Len()), Type: "image/png", W: 128, H: 64,
		Owner: "public"}, b.Bytes()
}
