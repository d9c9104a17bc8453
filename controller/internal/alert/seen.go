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

// An approval names the preview that was read: its words, its frames and its signs. Signs come and go while a person
// reads. What they read is good for a while, and the approval's answer names who came and who left.
const (
	previewLife  = 30 * time.Minute
	mostPreviews = 1000
)

// preview is one that somebody read.
type preview struct {
	alert string // digest of the alert's record
	look  string // digest of its frames
	signs []string
	at    time.Time
}

func digestOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// frames are the digests of what each class shows of an alert, in their order.
func (l *look) frames() map[string][]string {
	out := map[string][]string{}
	for _, arts := range []map[string]*playlists.Artwork{l.Art, l.Corrected} {
		for class, art := range arts {
			for _, st := range art.Steps {
				out[class] = append(out[class], art.Frames[st.Frame].SHA256)
			}
		}
	}
	for class := range l.Unable {
		out[class] = []string{noFrames}
	}
	return out
}

// see is the preview of an alert now, and its digest.
func see(a *playlists.Alert, l *look, signs []playlists.Sign, at time.Time) (sum string, p preview) {
	p = preview{alert: digestOf(a), at: at, signs: make([]string, 0, len(signs))}
	shown := map[string][]string{}
	all := l.frames()
	for i := range signs {
		p.signs = append(p.signs, signs[i].ID)
		class := signs[i].Class.String()
		shown[class] = all[class]
	}
	p.look = digestOf(shown)
	return digestOf([]any{p.alert, p.look, p.signs}), p
}

// remember keeps a preview that is about to be read, and returns its digest.
func (s *Service) remember(a *playlists.Alert, l *look, signs []playlists.Sign) string {
	now := s.o.Now()
	sum, p := see(a, l, signs, now)
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
	if len(s.previews) >= mostPreviews {
		delete(s.previews, oldest)
	}
	s.previews[sum] = p
	return sum
}

// seen finds the preview that an approval names, among those that were read or as it would be now: a controller that
// was restarted meanwhile remembers none. It refuses another alert, an old preview, and another number of signs.
func (s *Service) seen(e *entry, approval *playlists.AlertApproval, targets []playlists.Sign) (came, gone []string,
	err error) {
	now := s.o.Now()
	s.mu.Lock()
	a, l := e.Alert, e.look
	p, ok := s.previews[approval.Digest]
	s.mu.Unlock()
	if !ok {
		sum, current := see(&a, l, targets, now)
		if ok = sum == approval.Digest; ok {
			p = current
		}
	}
	switch {
	case !ok || p.alert != digestOf(&a): // a draft was finished meanwhile, or signs came while the controller was down
		return nil, nil, &playlists.Error{Code: playlists.Conflict, Field: "digest", Value: approval.Digest,
			Key: "alert-changed"}
	case now.Sub(p.at) > previewLife:
		return nil, nil, &playlists.Error{Code: playlists.Conflict, Field: "digest", Value: approval.Digest,
			Key: "preview-too-old"}
	case len(p.signs) != *approval.Signs:
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "signs", Value: fmt.Sprint(*approval.Signs),
			Key: "signs-count-differs"}
	}
	for i := range targets {
		if _, known := slices.BinarySearch(p.signs, targets[i].ID); !known {
			came = append(came, targets[i].ID)
		}
	}
	for _, id := range p.signs {
		if !slices.ContainsFunc(targets, func(x playlists.Sign) bool { return x.ID == id }) {
			gone = append(gone, id)
		}
	}
	return came, gone, nil
}
