package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Artist draws messages that are not kept, for whoever writes them.
type Artist interface {
	// Artwork draws a message for a class, with what speaks against it.
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class,
		motion playlists.Motion) (*playlists.Artwork, error)
}

// previewIn asks how a message would look.
type previewIn struct {
	Message json.RawMessage   `json:"message"`
	Classes []playlists.Class `json:"classes"`
}

// Look is a message on one class.
type Look struct {
	Class    string              `json:"class"`
	Steps    []LookStep          `json:"steps,omitempty"`
	Findings []playlists.Finding `json:"findings"`
	Error    *problem            `json:"error,omitempty"` // why it cannot be drawn there
}

// LookStep is one page, or one strip that moves.
type LookStep struct {
	PNG    []byte           `json:"png"` // base64; JPEG where the frame is one
	Type   string           `json:"type"`
	MS     int64            `json:"ms"`
	Scroll *timeline.Scroll `json:"scroll,omitempty"`
}

type previewOut struct {
	Looks []Look `json:"looks"`
}

// maxLooks bounds the classes of one preview.
const maxLooks = 12

// preview draws a message as one types. Nothing is kept.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	owner := r.PathValue("owner")
	if !p.MayWrite(playlists.KindMessage, owner) {
		s.fail(w, r, s.refused(p, playlists.KindMessage, owner, "preview"))
		return
	}
	var in previewIn
	err := s.read(w, r, &in, "preview")
	if err == nil && (len(in.Classes) == 0 || len(in.Classes) > maxLooks) {
		err = &playlists.Error{Code: playlists.Invalid, Field: "classes",
			Key: "classes-count", Args: []any{len(in.Classes), maxLooks}}
	}
	m := &playlists.Message{}
	if err == nil {
		err = parse(in.Message, m, "message", func() error {
			if m.ID == "" {
				m.ID = "preview"
			}
			return completeID(&m.Owner, owner, "message.owner")
		}, m.Validate)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := previewOut{Looks: []Look{}}
	for _, c := range in.Classes {
		look := Look{Class: c.String(), Findings: []playlists.Finding{}}
		art, err := s.artist.Artwork(r.Context(), m, c, playlists.Scrolls)
		var e *playlists.Error
		switch {
		case errors.As(err, &e):
			p := problemOf(e)
			look.Error = &p
		case err != nil:
			s.fail(w, r, err)
			return
		default:
			for _, st := range art.Steps {
				f := &art.Frames[st.Frame]
				look.Steps = append(look.Steps, LookStep{PNG: f.Data, Type: f.Type, MS: st.MS, Scroll: st.Scroll})
			}
			look.Findings = append(look.Findings, art.Findings...)
		}
		out.Looks = append(out.Looks, look)
	}
	answer(w, out)
}
