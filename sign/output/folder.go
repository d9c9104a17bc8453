package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
)

// Folder keeps DIR/face.png as what is on the face, and appends a line to
// DIR/changes.jsonl at each change of frame:
//
//	{"at_ms":1767200400000,"item":"bluezone-1","frame":"<sha256>","why":"program"}
//
// face.png has the frame's own pixels: of a one-colour class, white is lit.
// Brightness and gamma belong to LEDs and are not in it.
type Folder struct {
	dir string
	log *os.File
	buf bytes.Buffer
	enc png.Encoder
}

// NewFolder makes dir where it is missing.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "changes.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	return &Folder{dir: dir, log: log, enc: png.Encoder{CompressionLevel: png.BestSpeed}}, nil
}

type change struct {
	AtMS  int64  `json:"at_ms"`
	Item  string `json:"item"`
	Frame string `json:"frame"`
	Why   string `json:"why"`
}

// Show replaces face.png atomically: a reader sees the old or the new one.
func (f *Folder) Show(p Picture) error {
	f.buf.Reset()
	if err := f.enc.Encode(&f.buf, p.Image); err != nil {
		return err
	}
	tmp := filepath.Join(f.dir, ".face.png.tmp")
	if err := os.WriteFile(tmp, f.buf.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(f.dir, "face.png")); err != nil {
		return err
	}
	if !p.Changed {
		return nil
	}
	line, err := json.Marshal(change{AtMS: p.AtMS, Item: p.Item, Frame: p.Frame, Why: p.Why})
	if err != nil {
		return err
	}
	_, err = f.log.Write(append(line, '\n'))
	return err
}

// Close closes the log.
func (f *Folder) Close() error { return f.log.Close() }
