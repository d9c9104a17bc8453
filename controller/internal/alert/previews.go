package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ledcast/playlists"
)

// An approval names the preview that the approver read: its text, frames and signs. The signs may change while the
// approver reads, so a preview stays valid for a while, and the approval reports the signs that changed.
const (
	previewLife = 30 * time.Minute
	maxPreviews = 1000
)

// preview is a preview that somebody requested.
type preview struct {
	alert   string // digest of the alert's record
	frames  string // digest of the frames
	signs   []string
	at      time.Time
	counted int // of signs: those that the approver counts
}

func digestOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// frames returns the digests of the frames that each class shows, in order.
func (r *rendering) frames() map[string][]string {
	out := map[string][]string{}
	for _, arts := range []map[string]*playlists.Artwork{r.Art, r.Corrected} {
		for class, art := range arts {
			for _, st := range art.Steps {
				out[class] = append(out[class], art.Frames[st.Frame].SHA256)
			}
		}
	}
	for class := range r.Unable {
		out[class] = []string{noFrames}
	}
	return out
}

// countedSigns is the number that an approver types: the signs without those at which the department has not looked.
func countedSigns(signs []playlists.Sign) (n int) {
	for i := range signs {
		if signs[i].Alerts != playlists.AlertsNew {
			n++
		}
	}
	return n
}

// newPreview returns the preview of an alert and its digest.
func newPreview(a *playlists.Alert, r *rendering, signs []playlists.Sign, at time.Time) (sum string, p preview) {
	p = preview{alert: digestOf(a), at: at, signs: make([]string, 0, len(signs)), counted: countedSigns(signs)}
	shown := map[string][]string{}
	all := r.frames()
	for i := range signs {
		p.signs = append(p.signs, signs[i].ID)
		class := signs[i].Class.String()
		shown[class] = all[class]
	}
	p.frames = digestOf(shown)
	return digestOf([]any{p.alert, p.frames, p.signs}), p
}

// rememberPreview stores a preview and returns its digest.
func (s *Service) rememberPreview(a *playlists.Alert, r *rendering, signs []playlists.Sign) string {
	now := s.o.Now()
	sum, p := newPreview(a, r, signs, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := sum
	for k, x := range s.previews {
		if now.Sub(x.at) > previewLife {
			delete(s.previews, k)
		} else if oldest == sum || x.at.Before(s.previews[oldest].at) {
			oldest = k
		}
	}
	if len(s.previews) >= maxPreviews {
		delete(s.previews, oldest)
	}
	s.previews[sum] = p
	return sum
}

// findPreview checks the preview that an approval names and returns the signs that changed since. After a restart there
// are no stored previews, so it also accepts the digest of the current preview.
func (s *Service) findPreview(e *entry, approval *playlists.AlertApproval,
	targets []playlists.Sign) (added, removed []string, err error) {
	if approval.Signs == nil {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "signs", Key: "signs-count-missing"}
	}
	if approval.Digest == "" {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "digest", Key: "preview-digest-missing"}
	}
	now := s.o.Now()
	s.mu.Lock()
	a, r := e.Alert, e.rendering
	p, ok := s.previews[approval.Digest]
	s.mu.Unlock()
	if !ok {
		sum, current := newPreview(&a, r, targets, now)
		if ok = sum == approval.Digest; ok {
			p = current
		}
	}
	switch {
	case !ok || p.alert != digestOf(&a): // the alert changed, or its signs did while the controller was down
		return nil, nil, &playlists.Error{Code: playlists.Conflict, Field: "digest", Value: approval.Digest,
			Key: "alert-changed"}
	case now.Sub(p.at) > previewLife:
		return nil, nil, &playlists.Error{Code: playlists.Conflict, Field: "digest", Value: approval.Digest,
			Key: "preview-too-old"}
	case p.counted != *approval.Signs:
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "signs", Value: fmt.Sprint(*approval.Signs),
			Key: "signs-count-differs"}
	}
	for i := range targets {
		if _, known := slices.BinarySearch(p.signs, targets[i].ID); !known {
			added = append(added, targets[i].ID)
		}
	}
	for _, id := range p.signs {
		if !slices.ContainsFunc(targets, func(x playlists.Sign) bool { return x.ID == id }) {
			removed = append(removed, id)
		}
	}
	return added, removed, nil
}
