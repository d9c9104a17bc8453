package capinbox

import (
	"errors"
	"strings"
	"testing"

	"ledcast/playlists"
)

// While the clock is in doubt a feed's document waits, and is not forgotten; a person's is taken.
func TestFeedsWaitInDoubt(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	doubted := true
	s.Inbox.o.Doubt = func() bool { return doubted }
	by := &playlists.Principal{ID: feedPrincipal + "kttv", Owner: playlists.Public, Role: playlists.RoleAuthor}
	data := doc{id: "a"}.xml()
	settled, err := s.fromFeed(t.Context(), by, data)
	if !errors.As(err, new(remark)) || settled || !strings.Contains(err.Error(), "clock") {
		t.Errorf("settled %v, %v", settled, err)
	}
	if len(s.Inbox.seen) != 0 {
		t.Error("it counts as seen")
	}
	doubted = false
	if _, err := s.fromFeed(t.Context(), by, data); err != nil {
		t.Error(err)
	}
	if len(s.Inbox.seen) != 1 {
		t.Error("with the right clock it is not taken")
	}
}
