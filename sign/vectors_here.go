package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"os"

	"ledcast/sign/box"
)

// answerHere plays a case with this sign.
func answerHere(c vectorCase) ([]vectorAnswer, error) {
	var conf box.Config
	if err := json.Unmarshal(c.Config, &conf); err != nil {
		return nil, err
	}
	dir, err := box.TempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t := box.NewTrial(conf, dir)
	defer t.Stop()
	var reply vectorReply
	for _, e := range c.Events {
		var a vectorAnswer
		switch e.Do {
		case "start":
			err = t.Start(e.SystemMS, e.NTP)
		case "connect":
			t.Connect(e.Session, e.Challenge)
		case "ask-time":
			t.Ask(e.Challenge)
		case "disconnect":
			t.Disconnect()
		case "message":
			var payload []byte
			if payload, err = base64.StdEncoding.DecodeString(e.Base64); err == nil {
				t.Message(e.Topic, payload)
			}
		case "wait":
			t.Wait(e.MS)
		case "ask":
			a, err = ask(t, e.What)
		default:
			err = fmt.Errorf("the event %q is not known", e.Do)
		}
		if err != nil {
			return nil, err
		}
		for _, k := range t.Acks() {
			a.Acks = append(a.Acks, object(k))
		}
		reply.Answers = append(reply.Answers, a)
	}
	// Read the reply as if it came from a process: numbers compare as they are written.
	line, err := json.Marshal(reply)
	if err != nil {
		return nil, err
	}
	return readReply(line)
}

func ask(t *box.Trial, what string) (a vectorAnswer, err error) {
	switch what {
	case "status":
		a.Status = object(t.Status())
	case "face":
		shown, img := t.Face()
		frame := ""
		if shown.Frame != nil {
			frame = shown.Frame.SHA256
		}
		a.Face = map[string]any{"why": shown.Why, "item": shown.Item, "frame": frame, "offset": shown.Offset(),
			"percent": shown.Percent, "rgb_sha256": pixelDigest(img)}
	default:
		err = fmt.Errorf("unknown query %q; ask for status or face", what)
	}
	return a, err
}

// pixelDigest is of a face's pixels, row by row, red, green and blue a byte
// each.
func pixelDigest(img *image.RGBA) string {
	h := sha256.New()
	for i := 0; i < len(img.Pix); i += 4 {
		h.Write(img.Pix[i : i+3])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func object(v any) (o map[string]any) {
	data, _ := json.Marshal(v)
	_ = json.Unmarshal(data, &o)
	return o
}
