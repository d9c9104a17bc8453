package capinbox

import (
	"errors"
	"strings"
	"testing"

	"ledcast/playlists"
)

// While the clock is in doubt, a feed's document waits and is processed later.
func TestFeedsWaitInDoubt(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	doubted := true
	s.Inbox.o.Doubt = func() bool { return doubted }
	by := &playlists.Principal{ID: feedPrincipal + "kttv", Owner: playlists.Public, Role: playlists.RoleAuthor}
	data := doc{id: "a"}.xml()
	settled, err := s.takeFromFeed(t.Context(), by, data)
	if !errors.As(err, new(feedWarning)) || settled || !strings.Contains(err.Error(), "clock") {
		t.Errorf("settled %v, %v", settled, err)
	}
	if len(s.Inbox.records) != 0 {
		t.Error("the document is recorded")
	}
	doubted = false
	if _, err := s.takeFromFeed(t.Context(), by, data); err != nil {
		t.Error(err)
	}
	if len(s.Inbox.records) != 1 {
		t.Error("with a trusted clock, the document is not recorded")
	}
}
