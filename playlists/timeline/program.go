// Package timeline answers one question: what is on a sign's face at time t?
//
// [At] is the only answer to it in all of ledcast. The player on the sign, the publisher of pictures, the preview and
// the report call it with the same program and cannot disagree. [Walk] asks it for all of a time. Both are pure and
// need nothing but the standard library, so that makers of signs can read them as the specification:
// docs/protocol.md, "What is on the face at time t".
//
// Times are Unix seconds, or milliseconds where a name ends in MS. All numbers
// are integers.
package timeline

import "sort"

// Header begins every signed payload but a proof of play.
type Header struct {
	V     int64  `json:"v"` // 1
	Role  string `json:"role"`
	Epoch int64  `json:"epoch"`
	Seq   int64  `json:"seq"`
	Iat   int64  `json:"iat"` // issued, Unix seconds
	Nbf   int64  `json:"nbf"` // not before
	Exp   int64  `json:"exp"` // not at or after
}

// Frame describes one frame file. A still is exactly the class's W x H; a
// strip is longer along its axis.
type Frame struct {
	SHA256 string `json:"sha256"` // lower-case hex of the file's digest
	Len    int64  `json:"len"`    // bytes
	Type   string `json:"type"`   // "image/png" or "image/jpeg"
	W      int64  `json:"w"`      // pixels
	H      int64  `json:"h"`
	Owner  string `json:"owner,omitempty"` // whose topic holds it; not in alerts
}

// Scroll moves a strip across the face.
type Scroll struct {
	Axis string `json:"axis"` // "x" or "y"
	PxS  int64  `json:"px_s"` // pixels a second
}

// Step shows one frame for MS milliseconds.
type Step struct {
	Frame  int64   `json:"frame"` // index into the document's frames
	MS     int64   `json:"ms"`    // at least 100
	Scroll *Scroll `json:"scroll,omitempty"`
}

// Item is one message in a program.
type Item struct {
	ID       string `json:"id"`
	Owner    string `json:"owner"`
	Campaign string `json:"campaign,omitempty"`
	Steps    []Step `json:"steps"`
}

// Loop is an order of items that repeats for ever from its anchor, so that
// signs with one loop are in phase.
type Loop struct {
	Anchor int64   `json:"anchor"` // Unix seconds
	Order  []int64 `json:"order"`  // indexes into the program's items
}

// Dark is the index of the loop that shows nothing.
const Dark = -1

// Segment runs one loop from From (inclusive) until Until (exclusive).
type Segment struct {
	From  int64  `json:"from"`
	Until int64  `json:"until"`
	Loop  int64  `json:"loop"`          // or Dark
	Why   string `json:"why,omitempty"` // the rule that put it there, e.g. "schedule:tet-2027"
}

// CommLoss names the loop that shows when the broker was not reached for AfterS seconds.
type CommLoss struct {
	AfterS int64 `json:"after_s"`
	Loop   int64 `json:"loop"`
}

// Brightness is in percent of full from From until Until.
type Brightness struct {
	From    int64 `json:"from"`
	Until   int64 `json:"until"`
	Percent int64 `json:"percent"`
}

// Program is everything a sign needs to play by itself for a week: the
// payload of led/v1/signs/{sign}/program.
type Program struct {
	Header
	Sign       string       `json:"sign"`
	Class      string       `json:"class"`
	Areas      []string     `json:"areas"`
	Frames     []Frame      `json:"frames"`
	Items      []Item       `json:"items"`
	Loops      []Loop       `json:"loops"`
	Segments   []Segment    `json:"segments"`
	Fallback   int64        `json:"fallback"`
	CommLoss   CommLoss     `json:"comm_loss"`
	Brightness []Brightness `json:"brightness,omitempty"`
	// AlertFloor is the least brightness of a live alert.
	AlertFloor []Brightness `json:"alert_floor,omitempty"`

	starts [][]int64 // per loop, the start of each place in ms, then the length; see Prepare
}

// Alert takes the face away from the program while it runs.
type Alert struct {
	ID         string   `json:"id"`
	Priority   int64    `json:"priority"`
	From       int64    `json:"from"`
	Until      int64    `json:"until"`
	Areas      []string `json:"areas"`
	Signs      []string `json:"signs"`
	ExclusiveS int64    `json:"exclusive_s"` // nothing else shows for so long after From
	ShareMS    int64    `json:"share_ms"`    // then so much of every cycle
	CycleMS    int64    `json:"cycle_ms"`
	Drill      bool     `json:"drill"`
	Frames     []Frame  `json:"frames"`
	Steps      []Step   `json:"steps"`
	// Test says that it came in the set for test signs. It is not on the wire: the topic says it.
	Test bool `json:"-"`
}

// Ended names an alert that is over before its Until.
type Ended struct {
	ID    string `json:"id"`
	At    int64  `json:"at"`
	Until int64  `json:"until"`
	Why   string `json:"why"` // "cancelled" or "replaced"
}

// AlertSet is every running alert for the signs of one class: the payload of
// led/v1/alerts/{class}.
type AlertSet struct {
	Header
	Class  string  `json:"class"`
	Alerts []Alert `json:"alerts"`
	Ended  []Ended `json:"ended"`
}

// Covers reports whether area is other or one above it, by whole segments.
func Covers(area, other string) bool {
	return len(other) >= len(area) && other[:len(area)] == area &&
		(len(other) == len(area) || other[len(area)] == '/')
}

// Reaches reports whether the alert is meant for a sign in these areas.
func (a *Alert) Reaches(sign string, areas []string) bool {
	for _, s := range a.Signs {
		if s == sign {
			return true
		}
	}
	for _, x := range a.Areas {
		for _, y := range areas {
			if Covers(x, y) {
				return true
			}
		}
	}
	return false
}

// Length returns the duration of steps played once, in ms.
func Length(steps []Step) int64 {
	var n int64
	for i := range steps {
		n += steps[i].MS
	}
	return n
}

// LoopLength returns the duration of loop l played once, in ms.
func (p *Program) LoopLength(l int64) int64 {
	if p.starts != nil {
		s := p.starts[l]
		return s[len(s)-1]
	}
	var n int64
	for _, it := range p.Loops[l].Order {
		n += Length(p.Items[it].Steps)
	}
	return n
}

// Prepare computes where each place of each loop begins, so that At need not
// add them up again. The program must be valid and must not change afterwards;
// calling At without Prepare gives the same answers, slower.
func (p *Program) Prepare() {
	starts := make([][]int64, len(p.Loops))
	for l := range p.Loops {
		s := make([]int64, 0, len(p.Loops[l].Order)+1)
		var n int64
		for _, it := range p.Loops[l].Order {
			s = append(s, n)
			n += Length(p.Items[it].Steps)
		}
		starts[l] = append(s, n)
	}
	p.starts = starts
}

// place finds the place in loop l that holds position pos (0 ≤ pos < length)
// and that place's start.
func (p *Program) place(l, pos int64) (i int, start int64) {
	if p.starts != nil {
		s := p.starts[l]
		i = sort.Search(len(s)-1, func(k int) bool { return s[k] > pos }) - 1
		return i, s[i]
	}
	for i, it := range p.Loops[l].Order {
		n := Length(p.Items[it].Steps)
		if pos < start+n {
			return i, start
		}
		start += n
	}
	panic("timeline: position beyond the loop's length")
}
