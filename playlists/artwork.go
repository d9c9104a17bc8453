package playlists

import "ledcast/playlists/timeline"

// FrameFile is a frame as it is published: its description and its bytes.
type FrameFile struct {
	timeline.Frame
	Data []byte
}

// Artwork is a message as it looks on one class.
type Artwork struct {
	Frames []FrameFile     // distinct files, in the order of their first use
	Steps  []timeline.Step // Step.Frame indexes Frames; Step.MS is the reading time, below which a plan never goes
	// Level is the average picture level of its brightest frame, 0 to 1: what
	// the face draws of its full power.
	Level float64
	// CapPx is the height of its smallest capital letter, in pixels; 0 where it
	// has no text. How far it can be read follows from it: see CheckDistance.
	CapPx int
	// Findings says what was hard or given up; a refusal is an error instead.
	Findings []Finding
}

// MS is the artwork's reading time in milliseconds: the sum of its steps.
func (a *Artwork) MS() int64 {
	var n int64
	for _, s := range a.Steps {
		n += s.MS
	}
	return n
}

// Level says what becomes of a message because of a finding.
type Level string

const (
	Refuse Level = "refuse" // it does not go up
	Warn   Level = "warn"   // it goes up; somebody should look
)

// Finding is one thing that check has to say of a message on a class.
type Finding struct {
	Level   Level              `json:"level"`
	Code    string             `json:"code"` // stable, e.g. "glyph", "fit", "dwell", "distance", "qr", "contrast", "power"
	Class   string             `json:"class,omitempty"`
	Field   string             `json:"field,omitempty"` // e.g. "variants[0].body"
	Text    Text               `json:"text"`            // what is the matter
	Remedy  Text               `json:"remedy"`          // what to do
	Numbers map[string]float64 `json:"numbers,omitempty"`
}

// Text is words for a person, in both languages of the house.
type Text struct {
	VI string `yaml:"vi" json:"vi"`
	EN string `yaml:"en" json:"en"`
}
