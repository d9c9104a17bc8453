package api

import (
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// oneAlert is alerts of which one is there.
type oneAlert struct{ Alerts }

func (oneAlert) Recent() []playlists.AlertView {
	return []playlists.AlertView{{Alert: playlists.Alert{ID: "flood"}}}
}

// A stream of one sign has that sign's views and nothing else, and that only
// for who may see the sign.
func TestWatchOneSign(t *testing.T) {
	now := time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	w := newWall(&Server{alerts: oneAlert{}, now: func() time.Time { return now }})
	department := &playlists.Principal{ID: "user:minh", Owner: playlists.Public, Role: playlists.RoleAdmin}
	company := &playlists.Principal{ID: "user:lan", Owner: "a-co", Role: playlists.RoleAdmin}
	views := []SignView{{ID: "a-1", Owner: "a-co"}, {ID: "a-2", Owner: "a-co"}, {ID: "b-1", Owner: "b-co"}}
	for _, x := range []struct {
		who        *playlists.Principal
		sign, want string
	}{
		{department, "", "alert:flood sign:a-1 sign:a-2 sign:b-1 "},
		{department, "a-2", "sign:a-2 "},
		{company, "", "sign:a-1 sign:a-2 "},
		{company, "a-2", "sign:a-2 "},
		{company, "b-1", ""}, // its own until it was sold
	} {
		ch := make(chan []byte, 9)
		w.watchers = map[chan []byte]*watcher{ch: {x.who, x.sign, map[string]string{}}}
		w.tell(views)
		told := len(ch)
		w.tell(views)
		if len(ch) != told {
			t.Errorf("%s of %q is told again of what did not change", x.who.ID, x.sign)
		}
		close(ch)
		got := ""
		for event := range ch {
			kind, data, _ := strings.Cut(strings.TrimPrefix(string(event), "event: "), "\n")
			_, id, _ := strings.Cut(data, `"id":"`)
			id, _, _ = strings.Cut(id, `"`)
			got += kind + ":" + id + " "
		}
		if got != x.want {
			t.Errorf("%s of %q is told %s; want %s", x.who.ID, x.sign, got, x.want)
		}
	}
}
