package api

import (
	"encoding/json"
	"net/http"
	"slices"

	"ledcast/playlists"
)

// Made is something that a person, or a token that they made, has put and that is still there.
type Made struct {
	Kind   string `json:"kind"`
	Owner  string `json:"owner,omitempty"`
	ID     string `json:"id"`
	Action string `json:"action"` // create or replace
	Who    string `json:"who"`    // user:… or token:…
	AtMS   int64  `json:"at_ms"`
}

// madeKinds are the kinds that somebody looks at when a person is removed: who was let in, signs and their passwords,
// what may alarm people, and who is told.
var madeKinds = []string{"user", "invite", "token", "sign", "sign-login", "alert-template", "alert", "cap-policy", "webhook"}

// madeBy follows a person through the log, in its order.
type madeBy struct {
	user   string
	known  bool // there is or was such a user
	actors map[string]bool
	last   map[[3]string]Made
}

func newMadeBy(user string) *madeBy {
	return &madeBy{user: user, actors: map[string]bool{"user:" + user: true}, last: map[[3]string]Made{}}
}

func (m *madeBy) add(e *playlists.AuditEntry) {
	m.known = m.known || e.Kind == string(playlists.KindUser) && e.ID == m.user || m.actors[e.By.Who]
	k := [3]string{e.Kind, e.Owner, e.ID}
	if e.Action == "delete" || e.Kind == string(playlists.KindAlert) && !runs(e.After) {
		delete(m.last, k)
		return
	}
	if !m.actors[e.By.Who] || !slices.Contains(madeKinds, e.Kind) {
		return
	}
	if e.Kind == string(playlists.KindToken) {
		m.actors["token:"+e.ID] = true
	}
	m.last[k] = Made{e.Kind, e.Owner, e.ID, e.Action, e.By.Who, e.By.AtMS}
}

// runs reports whether an alert's record says that it runs.
func runs(record []byte) bool {
	var a struct{ State playlists.AlertState }
	return json.Unmarshal(record, &a) == nil && a.State == playlists.AlertRunning
}

// list is what is still there, newest first.
func (m *madeBy) list() []Made {
	out := make([]Made, 0, len(m.last))
	for _, x := range m.last {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Made) int {
		if a.AtMS != b.AtMS {
			return int(min(1, max(-1, b.AtMS-a.AtMS)))
		}
		return slices.Compare([]string{a.Kind, a.Owner, a.ID}, []string{b.Kind, b.Owner, b.ID})
	})
	return out
}

func (s *Server) userMade(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	if !p.MayRead(playlists.KindAudit, p.Owner) {
		s.fail(w, r, notThere("user", id))
		return
	}
	m := newMadeBy(id)
	for after := int64(0); ; {
		entries, err := s.audit.List(r.Context(), p.Owner, after, mostEntries)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for i := range entries {
			m.add(&entries[i])
			after = entries[i].N
		}
		if len(entries) < mostEntries {
			break
		}
	}
	if !m.known {
		s.fail(w, r, notThere("user", id))
		return
	}
	answer(w, list[Made]{m.list()})
}
