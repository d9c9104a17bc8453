package render

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"

	"ledcast/playlists"
)

// Wants are the requirements of a check besides the class. A zero value is not
// checked.
type Wants struct {
	DwellMS   int64   // the time that a playlist gives the message
	DistanceM float64 // of the viewers in metres; needs PitchMM
	PitchMM   float64 // between LEDs
	Power     float64 // the APL that the sign's supply carries at full brightness, 0 to 1
}

// Report is the result of a check of a message on a class.
type Report struct {
	Message string  `json:"message"`
	Class   string  `json:"class"`
	Pages   int     `json:"pages"`             // steps; a strip is one
	Scrolls bool    `json:"scrolls,omitempty"` // some step moves
	CapPx   int     `json:"cap_px,omitempty"`  // the smallest capital letter's height, pixels
	Font    string  `json:"font,omitempty"`    // of those letters
	ReadMS  int64   `json:"read_ms"`
	Bytes   int64   `json:"bytes"` // of all frames
	APL     float64 `json:"apl"`   // of the brightest frame, 0 to 1
	// Findings begin with the refusals.
	Findings []playlists.Finding `json:"findings"`
}

// Refused reports whether the message may not go up on this class.
func (r *Report) Refused() bool {
	return len(r.Findings) > 0 && r.Findings[0].Level == playlists.Refuse
}

// Check draws a message on a class and reports what speaks against showing it. A
// domain error of Message becomes a finding of level refuse; other errors, of a font
// or the storage of media, are returned.
func (r *Renderer) Check(m *playlists.Message, c playlists.Class, o Options, w Wants) (*Report, error) {
	rep := &Report{Message: m.ID, Class: c.String(), Findings: []playlists.Finding{}}
	a, font, err := r.message(m, c, o)
	var refused *playlists.Error
	if errors.As(err, &refused) {
		rep.Findings = append(rep.Findings, refusal(refused, c))
		return rep, nil
	}
	if err != nil {
		return nil, err
	}
	rep.Pages, rep.ReadMS, rep.CapPx, rep.Font = len(a.Steps), a.MS(), a.CapPx, font
	for i := range a.Steps {
		rep.Scrolls = rep.Scrolls || a.Steps[i].Scroll != nil
	}
	for i := range a.Frames {
		rep.Bytes += a.Frames[i].Len
		img, err := DecodeFrame(a.Frames[i].Data)
		if err != nil {
			return nil, err
		}
		rep.APL = math.Max(rep.APL, APL(img, c))
	}
	rep.Findings = append(rep.Findings, a.Findings...)
	rep.time(w, c)
	rep.distance(w, c)
	rep.power(w, c)
	return rep, nil
}

func (rep *Report) warn(code, field string, c playlists.Class, text, remedy playlists.Text,
	numbers map[string]float64) {
	rep.Findings = append(rep.Findings, playlists.Finding{Level: playlists.Warn, Code: code, Class: c.String(),
		Field: field, Text: text, Remedy: remedy, Numbers: numbers})
}

func (rep *Report) time(w Wants, c playlists.Class) {
	if w.DwellMS == 0 || rep.ReadMS <= w.DwellMS {
		return
	}
	rep.warn("dwell", "dwell_ms", c,
		playlists.Text{VI: fmt.Sprintf("Cần %.1f giây để đọc hết, danh sách chỉ cho %.1f giây.",
			float64(rep.ReadMS)/1000, float64(w.DwellMS)/1000),
			EN: fmt.Sprintf("Takes %.1f s to read; the playlist gives %.1f s.", float64(rep.ReadMS)/1000,
				float64(w.DwellMS)/1000)},
		playlists.Text{VI: "Tăng thời lượng hoặc viết ngắn lại; nếu không, màn hình này sẽ đổi tin muộn hơn.",
			EN: "Give it more time or shorten it; otherwise this sign changes later than the others."},
		map[string]float64{"read_ms": float64(rep.ReadMS), "dwell_ms": float64(w.DwellMS)})
}

func (rep *Report) distance(w Wants, c playlists.Class) {
	if f := playlists.CheckDistance(c, rep.CapPx, w.PitchMM, w.DistanceM); f != nil {
		rep.Findings = append(rep.Findings, *f)
	}
}

func (rep *Report) power(w Wants, c playlists.Class) {
	if w.Power == 0 || rep.APL <= w.Power {
		return
	}
	keep := Brightness(rep.APL, w.Power)
	rep.warn("power", "theme", c,
		playlists.Text{VI: fmt.Sprintf("Mức sáng trung bình %.0f %%, nguồn chỉ chịu %.0f %%.", 100*rep.APL,
			100*w.Power),
			EN: fmt.Sprintf("Average picture level is %.0f %%; the supply carries %.0f %%.", 100*rep.APL, 100*w.Power)},
		playlists.Text{VI: fmt.Sprintf("Dùng nền tối hơn, hoặc giảm độ sáng còn %.0f %%.", 100*keep),
			EN: fmt.Sprintf("Use a darker theme, or brightness of at most %.0f %%.", 100*keep)},
		map[string]float64{"apl": rep.APL, "limit": w.Power, "brightness": keep})
}

// refusal makes a finding of a domain error of Message.
func refusal(e *playlists.Error, c playlists.Class) playlists.Finding {
	code := "text"
	switch {
	case strings.Contains(e.Field, "variants") && e.Code != playlists.TooLarge || e.Field == "address":
		code = "glyph"
	case strings.HasPrefix(e.Field, "image"):
		code = "image"
	case e.Field == "theme":
		code = "contrast"
	case e.Field == "class":
		code = "fit"
	case e.Field == "qr", e.Field == "icon":
		code = e.Field
	}
	value := ""
	if e.Value != "" {
		value = fmt.Sprintf("%q ", e.Value)
	}
	en, vi := e.English(), e.Vietnamese()
	return playlists.Finding{Level: playlists.Refuse, Code: code, Class: c.String(), Field: e.Field,
		Text: playlists.Text{VI: "Không hiện được: " + cmp.Or(vi.Field, e.Field) + " " + value + vi.Title + ".",
			EN: "Cannot be shown: " + e.Field + " " + value + en.Title + "."},
		Remedy: playlists.Text{VI: "Sửa lại: " + vi.Remedy + ".", EN: "Correct it: " + en.Remedy + "."}}
}
