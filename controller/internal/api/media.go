package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"ledcast/playlists"
)

// MaxUpload bounds a picture's bytes as it arrives.
const MaxUpload = 20 << 20

// Media keeps owners' pictures.
type Media interface {
	// Put checks, cleans and keeps a picture under a name.
	Put(ctx context.Context, who *playlists.Principal, owner, id string, data []byte,
		expected int64) (m *playlists.Medium, version int64, err error)
	// Info returns one and the ids of the owner's messages that show it;
	// NotFound if it is not there.
	Info(ctx context.Context, owner, id string) (m *playlists.Medium, usedBy []string, version int64, err error)
	File(ctx context.Context, owner, id string) (data []byte, mime string, err error)
	// Thumb is the picture alone as it looks on a class, PNG.
	Thumb(ctx context.Context, owner, id string, c playlists.Class) ([]byte, error)
}

// Medium is what HTTP answers of a picture that was uploaded.
type Medium struct {
	ID     string   `json:"id"`
	Owner  string   `json:"owner"`
	SHA256 string   `json:"sha256"` // of the file as it is kept
	Type   string   `json:"type"`
	W      int      `json:"w"`
	H      int      `json:"h"`
	Frames int      `json:"frames"` // 1 for a still
	Len    int64    `json:"len"`
	UsedBy []string `json:"used_by,omitempty"` // ids of the owner's messages
}

func mediumOf(m *playlists.Medium, usedBy []string) Medium {
	return Medium{ID: m.ID, Owner: m.Owner, SHA256: m.SHA256, Type: m.Type, W: m.W, H: m.H, Frames: m.Frames, Len: m.Len,
		UsedBy: usedBy}
}

// medium is the principal and the owner of the path, if the one may read the
// other's pictures, or write them; else it has answered already.
func (s *Server) medium(w http.ResponseWriter, r *http.Request, write bool) (p *playlists.Principal, owner, id string) {
	p = s.who(w, r)
	if p == nil {
		return nil, "", ""
	}
	owner, id = r.PathValue("owner"), r.PathValue("id")
	var err error
	switch {
	case !p.MayRead(playlists.KindMedia, owner):
		err = notThere(string(playlists.KindMedia), id)
	case write && !p.MayWrite(playlists.KindMedia, owner):
		err = denied(p, playlists.KindMedia, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return nil, "", ""
	}
	return p, owner, id
}

func (s *Server) mediaList(w http.ResponseWriter, r *http.Request) {
	p, owner, _ := s.medium(w, r, false)
	if p == nil {
		return
	}
	all, err := s.objects.List(r.Context(), playlists.KindMedia, owner)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := make([]Medium, len(all))
	for i := range all {
		var m playlists.Medium
		if err := json.Unmarshal(all[i].Data, &m); err != nil {
			s.fail(w, r, err)
			return
		}
		out[i] = mediumOf(&m, nil)
	}
	answer(w, list[Medium]{out})
}

func (s *Server) mediaInfo(w http.ResponseWriter, r *http.Request) {
	p, owner, id := s.medium(w, r, false)
	if p == nil {
		return
	}
	m, usedBy, version, err := s.media.Info(r.Context(), owner, id)
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindMedia, id))
		return
	}
	w.Header().Set("ETag", etag(version))
	answer(w, mediumOf(m, usedBy))
}

func (s *Server) mediaPut(w http.ResponseWriter, r *http.Request) {
	p, owner, id := s.medium(w, r, true)
	if p == nil {
		return
	}
	want, err := expected(r)
	if err == nil {
		err = playlists.CheckSlug("media/id", id)
	}
	if t := r.Header.Get("Content-Type"); err == nil && !strings.HasPrefix(t, "image/") &&
		t != "application/octet-stream" {
		err = &playlists.Error{Code: playlists.Invalid, Field: "Content-Type", Value: t,
			Key: "content-type-not-picture"}
	}
	var data []byte
	if err == nil {
		data, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxUpload))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			err = &playlists.Error{Code: playlists.TooLarge, Field: "media/" + id, Key: "upload-too-large"}
		case err != nil:
			err = &playlists.Error{Code: playlists.Invalid, Field: "media/" + id, Key: "broken-off"}
		}
	}
	var m *playlists.Medium
	var version int64
	if err == nil {
		m, version, err = s.media.Put(r.Context(), p, owner, id, data, want)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("ETag", etag(version))
	status := http.StatusOK
	if version == 1 {
		status = http.StatusCreated
	}
	answerStatus(w, status, mediumOf(m, nil))
}

func (s *Server) mediaRemove(w http.ResponseWriter, r *http.Request) {
	p, owner, id := s.medium(w, r, true)
	if p == nil {
		return
	}
	want, err := expected(r)
	if err == nil {
		err = s.objects.Delete(r.Context(), p, playlists.Key{Kind: playlists.KindMedia, Owner: owner, ID: id}, want)
	}
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindMedia, id))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) mediaFile(w http.ResponseWriter, r *http.Request) {
	p, owner, id := s.medium(w, r, false)
	if p == nil {
		return
	}
	data, mime, err := s.media.File(r.Context(), owner, id)
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindMedia, id))
		return
	}
	picture(w, mime, data)
}

func (s *Server) mediaThumb(w http.ResponseWriter, r *http.Request) {
	p, owner, id := s.medium(w, r, false)
	if p == nil {
		return
	}
	class, err := playlists.ParseClass(r.URL.Query().Get("class"))
	var data []byte
	if err == nil {
		data, err = s.media.Thumb(r.Context(), owner, id, class)
	}
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindMedia, id))
		return
	}
	picture(w, "image/png", data)
}

// picture serves bytes that somebody uploaded: as that type and nothing else.
func picture(w http.ResponseWriter, mime string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-cache")
	_, _ = w.Write(data)
}
