package capinbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// fromFeed processes a document as if a feed delivered it.
func fromFeed(t *testing.T, s *service, data []byte) (*playlists.CAPResult, error) {
	t.Helper()
	by := &playlists.Principal{ID: feedPrincipal + "kttv", Owner: playlists.Public, Role: playlists.RoleAuthor}
	return s.process(t.Context(), &submission{by: by, fromFeed: true}, data)
}

// Documents that reference each other form one family, in whatever order they arrive.
func TestCAPFamilies(t *testing.T) {
	at := time.Now().Truncate(time.Second)
	a := doc{id: "a", sent: at.Add(-10 * time.Minute)}
	b := doc{id: "b", msgType: "Update", sent: at.Add(-8 * time.Minute), refs: []doc{a}}
	c := doc{id: "c", msgType: "Update", sent: at.Add(-6 * time.Minute), refs: []doc{b}}
	stop := func(refs ...doc) doc {
		return doc{id: "stop", msgType: "Cancel", sent: at.Add(-4 * time.Minute), refs: refs}
	}
	after := doc{id: "after", msgType: "Update", sent: at.Add(-2 * time.Minute), refs: []doc{a}}
	another := doc{id: "u", sender: "spy@vn"}
	for name, steps := range map[string][]capStep{
		"a cancel of the first ends a pending update": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: b, want: "pending", alerts: 1}, {doc: stop(a), want: "cancelled", alerts: 2, state: "ended cancelled"}},
		"a cancel of the first ends a running update": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: b, want: "pending", alerts: 1, approve: true, state: "running"},
			{doc: stop(a), want: "cancelled", alerts: 1, state: "ended cancelled"},
			{doc: b, want: "pending", alerts: 1, state: "ended cancelled"}},
		"a cancel of the last ends the first": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: b, want: "pending", alerts: 1}, {doc: stop(b), want: "cancelled", alerts: 2},
			{doc: a, want: "pending", alerts: 1, state: "ended cancelled"}},
		"a cancel over two updates": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: b, want: "pending", alerts: 1}, {doc: c, want: "pending", alerts: 1},
			{doc: stop(a), want: "cancelled", alerts: 2}},
		"an update of an update replaces what runs": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: b, want: "pending", alerts: 1}, {doc: c, want: "pending", alerts: 1, approve: true, state: "running"},
			{doc: a, want: "pending", alerts: 1, state: "ended replaced"},
			{doc: b, want: "pending", alerts: 1, state: "ended refused"}},
		"an update that comes after the cancel": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: stop(a), want: "cancelled", alerts: 1}, {doc: b, want: "ignored"}},
		"an update of an update after the cancel": {{doc: a, want: "pending", alerts: 1},
			{doc: stop(a), want: "cancelled", alerts: 1}, {doc: b, want: "ignored"}, {doc: c, want: "ignored"}},
		"the first after a cancel of its update": {{doc: stop(b), want: "held"}, {doc: b, want: "ignored"},
			{doc: a, want: "ignored"}},
		"an update that was sent after the cancel": {{doc: a, want: "pending", alerts: 1},
			{doc: stop(a), want: "cancelled", alerts: 1}, {doc: after, want: "pending", alerts: 1}},
		"a cancel ends nothing that was sent after it": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: after, want: "pending", alerts: 1, approve: true}, {doc: stop(a), want: "ignored"},
			{doc: after, want: "pending", alerts: 1, state: "running"}},
		"the first comes after its update, which is held": {{doc: b, want: "held"}, {doc: a, want: "held"},
			{doc: b, want: "pending", alerts: 1}},
		"an update in the middle comes last": {{doc: a, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "c", msgType: "Update", sent: c.sent, refs: []doc{a}}, want: "pending", alerts: 1},
			{doc: b, want: "ignored"}, {doc: a, want: "pending", alerts: 1, state: "running"}},
		"an update of another sender's that never came": {{doc: doc{id: "x", msgType: "Update", refs: []doc{another}},
			want: "refused"}},
		"a cancel of another sender's that never came": {{doc: doc{id: "x", msgType: "Cancel", refs: []doc{another}},
			want: "refused"}, {doc: another, want: "pending", alerts: 1}},
		"an alert that names another sender's": {{doc: doc{id: "x", refs: []doc{another}}, want: "refused"}},
		"a cancel that names one of its own and another's": {{doc: a, want: "pending", alerts: 1},
			{doc: stop(a, another), want: "refused"}, {doc: a, want: "pending", alerts: 1, state: "pending"}},
		"a cancel of what was held": {{doc: b, want: "held"}, {doc: stop(b), want: "ignored"},
			{doc: b, want: "ignored"}},
		"without expires, long ago": {
			{doc: doc{id: "x", sent: at.Add(-61 * time.Minute), expires: -1}, want: "ignored"}},
		"without expires, half an hour ago": {
			{doc: doc{id: "x", sent: at.Add(-30 * time.Minute), expires: -1}, want: "pending", alerts: 1}},
		"two events of one language": {
			{doc: doc{id: "x", lang: []string{"vi-VN", "vi-VN"}, event: []string{"Lũ", "Sạt lở"}}, want: "pending", alerts: 2}},
		"two events in two languages": {
			{doc: doc{id: "x", lang: []string{"vi-VN", "en-US", "vi-VN", "en-US"},
				event: []string{"Lũ", "Flood", "Sạt lở", "Landslide"}}, want: "pending", alerts: 2}},
		"two events of which one is in a second language": {
			{doc: doc{id: "x", lang: []string{"vi-VN", "vi-VN", "en-US"}, event: []string{"Lũ", "Sạt lở", "Landslide"}},
				want: "pending", alerts: 3}},
		"the same info twice": {{doc: doc{id: "x", lang: []string{"vi-VN", "vi-VN"}},
			want: "pending", alerts: 1}},
		"refused, and handed in again": {{doc: doc{id: "x", area: "none"}, want: "refused"},
			{doc: doc{id: "x", area: "none"}, want: "refused"}},
		"refused, and handed in again with an area of today": {{doc: doc{id: "x", area: "none"}, want: "refused"},
			{doc: doc{id: "x"}, want: "pending", alerts: 1}},
	} {
		t.Run(name, func(t *testing.T) { chain(t, at, steps) })
	}
}

// A Cancel ends a person's alert that replaced a document's alert. Submitting a
// document again returns the same reason.
func TestCAPAndPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		a := doc{id: "a", sent: time.Now()}
		r, err := s.CAP(t.Context(), author, a.xml(), playlists.AlertOverride{})
		if err != nil {
			t.Fatal(err)
		}
		approveIt(t, s, r.Alerts[0])
		own := w.order("own", time.Hour)
		own.Replaces = r.Alerts[0]
		run(t, s, own)
		time.Sleep(time.Minute)
		officer := *author
		officer.Areas = []string{"quang-ngai/duc-pho"}
		stop := doc{id: "c", msgType: "Cancel", sent: time.Now(), refs: []doc{a}}
		r, err = s.CAP(t.Context(), &officer, stop.xml(), playlists.AlertOverride{})
		if err != nil || r.Outcome != playlists.CAPRefused || !strings.Contains(r.Because.EN, "outside the areas") ||
			view(t, s, "own").State != playlists.AlertRunning {
			t.Fatalf("an officer of another area: %+v %v", r, err)
		}
		if r, err = s.CAP(t.Context(), author, stop.xml(), playlists.AlertOverride{}); err != nil ||
			r.Outcome+fmt.Sprint(r.Alerts) != "cancelled[own]" {
			t.Fatalf("%+v %v", r, err)
		}
		for range 2 {
			if r, err = s.CAP(t.Context(), author, doc{id: "p", scope: "Private"}.xml(),
				playlists.AlertOverride{}); err != nil || !strings.Contains(r.Because.EN, "Private") {
				t.Errorf("%+v %v", r, err)
			}
		}
		if r, err = s.CAP(t.Context(), author, stop.xml(), playlists.AlertOverride{}); err != nil ||
			!strings.Contains(r.Because.EN, "ended") || !strings.Contains(r.Because.EN, "came before") {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// A document from a feed counts even if a person submitted another under its reference.
func TestCAPFeedOverridesPeople(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	admin := &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleAdmin}
	p := playlists.CAPPolicy{Senders: []string{"kttv@vn"},
		Auto: &playlists.CAPAuto{Areas: []string{"quang-ngai/son-tinh"}, MaxPriority: 150}}
	if err := s.SetCAPPolicy(t.Context(), admin, p); err != nil {
		t.Fatal(err)
	}
	if err := s.ApproveCAPPolicy(t.Context(), approver, policyDigest(s)); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	for id, forged := range map[string]doc{
		"same":   {},
		"words":  {severity: "Minor"},
		"test":   {status: "Test"},
		"no-one": {area: "none"},
	} {
		forged.id, forged.sent = id, now
		first, err := s.CAP(t.Context(), author, forged.xml(), playlists.AlertOverride{})
		if err != nil || first.Outcome == playlists.CAPRunning {
			t.Fatalf("%s: %+v %v", id, first, err)
		}
		r, err := fromFeed(t, s, doc{id: id, sent: now}.xml())
		if err != nil || r.Outcome != playlists.CAPRunning || len(r.Alerts) != 1 || view(t, s, r.Alerts[0]).Priority != 150 {
			t.Errorf("%s: %+v %v", id, r, err)
		}
		for _, x := range first.Alerts {
			if v := view(t, s, x); v.State == playlists.AlertPending {
				t.Errorf("%s: the alert that the person submitted is still pending", id)
			}
		}
		if again, err := fromFeed(t, s, doc{id: id, sent: now}.xml()); err != nil ||
			!strings.Contains(again.Because.EN, "came before") {
			t.Errorf("%s: %+v %v", id, again, err)
		}
	}
}

// The policy does not let a document replace an alert that people wrote.
func TestCAPPolicyKeepsPeoplesAlerts(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	admin := &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleAdmin}
	p := playlists.CAPPolicy{Senders: []string{"kttv@vn"},
		Auto: &playlists.CAPAuto{Areas: []string{"quang-ngai/son-tinh"}, MaxPriority: 150}}
	if err := s.SetCAPPolicy(t.Context(), admin, p); err != nil {
		t.Fatal(err)
	}
	if err := s.ApproveCAPPolicy(t.Context(), approver, policyDigest(s)); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	a := doc{id: "a", sent: now.Add(-time.Minute)}
	b := doc{id: "b", msgType: "Update", sent: now, refs: []doc{a}}
	r, err := fromFeed(t, s, a.xml())
	if err != nil || r.Outcome != playlists.CAPRunning {
		t.Fatalf("%+v %v", r, err)
	}
	if up, err := fromFeed(t, s, b.xml()); err != nil || up.Outcome != playlists.CAPRunning ||
		view(t, s, r.Alerts[0]).Why != playlists.EndReplaced {
		t.Fatalf("%+v %v", up, err)
	} else {
		r = up
	}
	own := w.order("own", time.Hour)
	own.Replaces = r.Alerts[0]
	run(t, s, own)
	c := doc{id: "c", msgType: "Update", sent: now.Add(time.Second), refs: []doc{b}}
	r, err = fromFeed(t, s, c.xml())
	if err != nil || r.Outcome != playlists.CAPPending || view(t, s, r.Alerts[0]).Replaces != "own" ||
		view(t, s, "own").State != playlists.AlertRunning {
		t.Errorf("%+v %v", r, err)
	}
}

// A document that is too long for a sign is shortened, never dropped.
func TestCAPIsShortened(t *testing.T) {
	w := newWorld()
	for i := range w.Faces {
		if w.Faces[i].Class == w.Faces[0].Class {
			w.Faces[i].Distance, w.Faces[i].Pitch = 150, 10
		}
	}
	w.Legible = func(m *playlists.Message) bool { return len(m.Variants) == 1 && m.Variants[0].Body == "" }
	s := w.open(t)
	r, err := s.CAP(t.Context(), author, doc{lang: []string{"vi-VN", "en-US"}}.xml(), playlists.AlertOverride{})
	if err != nil || r.Outcome != playlists.CAPPending {
		t.Fatalf("%+v %v", r, err)
	}
	p, err := s.Preview(t.Context(), r.Alerts[0])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(p.Classes, func(x playlists.AlertOnSign) bool { return x.Form > 0 }) {
		t.Errorf("no class shows a shorter form: %+v", p.Classes)
	}
	w.Legible = func(*playlists.Message) bool { return false }
	for i := range w.Faces {
		w.Faces[i].Distance, w.Faces[i].Pitch = 150, 10
	}
	s.SignsChanged()
	if r, err = s.CAP(t.Context(), author, doc{id: "2"}.xml(), playlists.AlertOverride{}); err != nil ||
		r.Outcome != playlists.CAPRefused || !strings.Contains(r.Because.EN, "cannot be read") {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = s.CAP(t.Context(), author, doc{id: "2"}.xml(), playlists.AlertOverride{Override: "distance",
		Reason: "người đi gần vẫn đọc được"}); err != nil || r.Outcome != playlists.CAPPending {
		t.Errorf("with an override: %+v %v", r, err)
	}
}

// An expired Update, or one of urgency Past, ends the running alerts of its family.
func TestPastUpdateEndsAlerts(t *testing.T) {
	for name, change := range map[string]func(*doc){
		"past":                  func(d *doc) { d.urgency = "Past" },
		"past in two languages": func(d *doc) { d.urgency, d.lang = "Past", []string{"vi-VN", "en-US"} },
		"over":                  func(d *doc) { d.expires = time.Second; d.sent = d.sent.Add(-time.Minute) },
	} {
		w := newWorld()
		s := w.open(t)
		a := doc{id: "a", sent: time.Now().Add(-5 * time.Minute).Truncate(time.Second)}
		r, err := s.CAP(t.Context(), author, a.xml(), playlists.AlertOverride{})
		if err != nil || len(r.Alerts) != 1 {
			t.Fatalf("%s: %+v %v", name, r, err)
		}
		approveIt(t, s, r.Alerts[0])
		u := doc{id: "u", msgType: "Update", sent: time.Now().Add(-time.Minute).Truncate(time.Second), refs: []doc{a}}
		change(&u)
		up, err := s.CAP(t.Context(), author, u.xml(), playlists.AlertOverride{})
		if err != nil || up.Outcome != playlists.CAPCancelled || !slices.Equal(up.Alerts, r.Alerts) ||
			view(t, s, r.Alerts[0]).State != playlists.AlertEnded {
			t.Errorf("%s: %+v %v, and it is %s", name, up, err, view(t, s, r.Alerts[0]).State)
		}
	}
}
