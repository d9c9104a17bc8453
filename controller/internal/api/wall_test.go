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
		w.watchers = map[chan []byte]*watcher{ch: {who: x.who, sign: x.sign, told: map[string]string{}}}
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

// Who watches one sign has that one asked for snapshots and no other; a company
// has its own. A sign that nobody asked is not silent, however long it said
// nothing.
func TestAskedWhileWatched(t *testing.T) {
	now := time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	w := newWall(&Server{})
	department := &playlists.Principal{ID: "user:minh", Owner: playlists.Public, Role: playlists.RoleAdmin}
	company := &playlists.Principal{ID: "user:lan", Owner: "a-co", Role: playlists.RoleAdmin}
	views := []SignView{{ID: "a-1", Owner: "a-co", State: "online"}, {ID: "a-2", Owner: "a-co", State: "stale"},
		{ID: "a-3", Owner: "a-co", State: "offline"}, {ID: "b-1", Owner: "b-co", State: "online"}}
	for _, x := range []struct {
		name     string
		after    time.Duration
		watchers []watcher
		asks     string
		silent   string // of those last heard an hour ago
	}{
		{"nobody", 0, nil, "", ""},
		{"one sign", 0, []watcher{{who: department, sign: "a-1"}}, "a-1", ""},
		{"too soon to ask again", snapshotEvery - 1, []watcher{{who: department, sign: "a-1"}}, "", ""},
		{"for longer than it may be silent", Quiet, []watcher{{who: department, sign: "a-1"}}, "a-1", "a-1"},
		{"its owner comes: what is new is asked at once", 0, []watcher{{who: department, sign: "a-1"}, {who: company}},
			"a-2", "a-1"},
		{"both go", 0, nil, "", ""},
		{"and come again", 0, []watcher{{who: department, sign: "a-1"}, {who: company}}, "", ""},
		{"time to ask again", snapshotEvery, []watcher{{who: company}}, "a-1 a-2", ""},
		{"another's sign by name", 0, []watcher{{who: company, sign: "b-1"}}, "", ""},
		{"the department's wall", snapshotEvery, []watcher{{who: department}}, "a-1 a-2 b-1", ""},
		{"all are silent", Quiet + 1, []watcher{{who: department}}, "a-1 a-2 b-1", "a-1 a-2 b-1"},
		{"a sign that is offline", 0, []watcher{{who: department, sign: "a-3"}}, "", ""},
	} {
		now = now.Add(x.after)
		w.watchers = map[chan []byte]*watcher{}
		for i := range x.watchers {
			w.watchers[make(chan []byte)] = &x.watchers[i]
		}
		if got := strings.Join(w.ask(views, now), " "); got != x.asks {
			t.Errorf("%s: asks %q, want %q", x.name, got, x.asks)
		}
		var silent []string
		for i := range views {
			if w.quiet(views[i].ID, now.Add(-time.Hour), now) {
				silent = append(silent, views[i].ID)
			}
		}
		if got := strings.Join(silent, " "); got != x.silent {
			t.Errorf("%s: silent are %q, want %q", x.name, got, x.silent)
		}
	}
}
