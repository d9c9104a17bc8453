package wire

import (
	"encoding/json"
	"testing"

	"ledcast/playlists/timeline"
)

// What arrives from a broker is anybody's: no bytes may panic a check.

func FuzzSplit(f *testing.F) {
	f.Add(seal(f, programKey, TypProgram, program()))
	f.Add([]byte("a.b.c"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s, err := Split(doc, TypProgram)
		if err == nil && string(doc) != string(rejoin(s)) {
			t.Fatalf("%q was read as something else", doc)
		}
	})
}

// rejoin writes a split document again: one document, one form.
func rejoin(s *Sealed) []byte {
	out := b64.AppendEncode(nil, header(s.Kid, s.Typ))
	out = b64.AppendEncode(append(out, '.'), s.Payload)
	return b64.AppendEncode(append(out, '.'), s.sig)
}

// FuzzProgram signs whatever it is given, so that the checks behind the
// signature are reached, and asks what shows of everything that is accepted.
func FuzzProgram(f *testing.F) {
	text, _ := json.Marshal(program())
	f.Add(text, int64(now*1000))
	f.Fuzz(func(t *testing.T, payload []byte, at int64) {
		p := &timeline.Program{}
		if decode(payload, p) != nil {
			return
		}
		w, h, ok := classSize(p.Class)
		if !ok || checkHeader(&p.Header, RoleProgram, LifeProgram) != nil || checkProgram(p, w, h) != nil {
			return
		}
		at %= maxSeconds * 1000
		c := timeline.Conditions{ClockTrusted: true, LastContactMS: at}
		slow := timeline.At(p, nil, c, at)
		p.Prepare()
		if fast := timeline.At(p, nil, c, at); fast != slow {
			t.Fatalf("prepared %+v, not prepared %+v", fast, slow)
		}
		if slow.UntilMS <= at {
			t.Fatalf("the answer at %d ends at %d", at, slow.UntilMS)
		}
	})
}

func FuzzAlerts(f *testing.F) {
	text, _ := json.Marshal(alertSet())
	f.Add(text, int64(now*1000))
	f.Fuzz(func(t *testing.T, payload []byte, at int64) {
		a := &timeline.AlertSet{}
		if decode(payload, a) != nil {
			return
		}
		w, h, ok := classSize(a.Class)
		if !ok || checkHeader(&a.Header, RoleAlerts, LifeAlerts) != nil || checkAlerts(a, w, h) != nil {
			return
		}
		at %= maxSeconds * 1000
		s := timeline.At(nil, a.Alerts, timeline.Conditions{Sign: "qn-001", Areas: []string{"quang-ngai/son-tinh"},
			ClockTrusted: true}, at)
		if s.UntilMS <= at {
			t.Fatalf("the answer at %d ends at %d", at, s.UntilMS)
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(`{"v":1,"state":"online","session":"a","at_ms":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ParseStatus(data)
		_, _ = ParseAck(data)
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(pngMagic+"\x00\x00\x00\rIHDR"), "rgb")
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x11"), "rgb")
	f.Fuzz(func(t *testing.T, data []byte, colour string) {
		for _, typ := range []string{"image/png", "image/jpeg"} {
			d := timeline.Frame{SHA256: Digest(data), Len: int64(len(data)), Type: typ, W: 16, H: 8}
			if img, err := OpenFrame(data, &d, "16x8-"+colour); err == nil &&
				(img.Bounds().Dx() != 16 || img.Bounds().Dy() != 8) {
				t.Fatalf("a frame of %v was accepted as 16x8", img.Bounds())
			}
		}
	})
}
