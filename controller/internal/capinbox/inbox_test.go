package capinbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// doc describes a CAP document. Its zero value is an Alert for Sơn Tịnh by geocode,
// sent now, that expires in an hour.
type doc struct {
	id, sender, status, msgType, scope string
	sent                               time.Time
	refs                               []doc
	lang, event                        []string      // of each info; the default event is "Lũ"
	expires                            time.Duration // after sent; 0 means an hour, negative omits it
	area, severity, urgency            string
}

func (d doc) fill() doc {
	for _, x := range []struct {
		to        *string
		otherwise string
	}{{&d.id, "1"}, {&d.sender, "kttv@vn"}, {&d.status, "Actual"}, {&d.msgType, "Alert"}, {&d.scope, "Public"},
		{&d.severity, "Severe"}, {&d.urgency, "Immediate"},
		{&d.area, "<geocode><valueName>GSO</valueName><value>527</value></geocode>"}} {
		if *x.to == "" {
			*x.to = x.otherwise
		}
	}
	if d.sent.IsZero() {
		d.sent = time.Now().Truncate(time.Second)
	}
	if d.lang == nil {
		d.lang = []string{"vi-VN"}
	}
	if d.expires == 0 {
		d.expires = time.Hour
	}
	return d
}

func capTime(t time.Time) string {
	return t.In(time.FixedZone("", 7*3600)).Format("2006-01-02T15:04:05-07:00")
}

func (d doc) ref() string {
	d = d.fill()
	return d.sender + "," + d.id + "," + capTime(d.sent)
}

func (d doc) xml() []byte {
	d = d.fill()
	var b strings.Builder
	fmt.Fprintf(&b, `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>%s</identifier><sender>%s</sender>`+
		`<sent>%s</sent><status>%s</status><msgType>%s</msgType><scope>%s</scope>`,
		d.id, d.sender, capTime(d.sent), d.status, d.msgType, d.scope)
	if d.refs != nil {
		var refs []string
		for _, r := range d.refs {
			refs = append(refs, r.ref())
		}
		fmt.Fprintf(&b, "<references>%s</references>", strings.Join(refs, " "))
	}
	for i, l := range d.lang {
		event := "Lũ"
		if i < len(d.event) {
			event = d.event[i]
		}
		expires := ""
		if d.expires > 0 {
			expires = "<expires>" + capTime(d.sent.Add(d.expires)) + "</expires>"
		}
		fmt.Fprintf(&b, `<info><language>%s</language><category>Met</category><event>%s</event>`+
			`<urgency>%s</urgency><severity>%s</severity><certainty>Observed</certainty>%s`+
			`<headline>%s %s</headline><instruction>Lên chỗ cao.</instruction>`,
			l, event, d.urgency, d.severity, expires, map[string]string{"vi-VN": "Lũ lên nhanh", "en-US": "Flood"}[l], d.id)
		if d.area != "none" {
			fmt.Fprintf(&b, "<area><areaDesc>%s</areaDesc>%s</area>", l, d.area)
		}
		b.WriteString("</info>")
	}
	b.WriteString("</alert>")
	return []byte(b.String())
}

// capStep is a document that arrives, and the expected result.
type capStep struct {
	doc
	want    string // outcome
	alerts  int    // number of alerts in the result
	state   string // expected state of its alerts, "state why"
	approve bool   // whether a person then approves its first alert
}

func TestCAPDecides(t *testing.T) {
	at := time.Now().Truncate(time.Second)
	first := doc{id: "a", sent: at.Add(-time.Minute)}
	const square = "<polygon>15,108 16,108 16,109 15,109 15,108</polygon>"
	for name, steps := range map[string][]capStep{
		"an alert":               {{doc: doc{}, want: "pending", alerts: 1, state: "pending"}},
		"the same again":         {{doc: first, want: "pending", alerts: 1}, {doc: first, want: "pending", alerts: 1}},
		"a test":                 {{doc: doc{status: "Test"}, want: "ignored"}},
		"an exercise":            {{doc: doc{status: "Exercise"}, want: "ignored"}},
		"a system message":       {{doc: doc{status: "System"}, want: "ignored"}},
		"a draft":                {{doc: doc{status: "Draft"}, want: "ignored"}},
		"a private one":          {{doc: doc{scope: "Private"}, want: "refused"}},
		"a restricted one":       {{doc: doc{scope: "Restricted"}, want: "refused"}},
		"an ack":                 {{doc: doc{msgType: "Ack"}, want: "ignored"}},
		"an error":               {{doc: doc{msgType: "Error"}, want: "ignored"}},
		"nothing said":           {{doc: doc{lang: []string{}}, want: "refused"}},
		"no area":                {{doc: doc{area: "none"}, want: "refused"}},
		"only a name of an area": {{doc: doc{area: " "}, want: "refused"}},
		"an unknown geocode": {{doc: doc{area: "<geocode><valueName>GSO</valueName><value>999</value></geocode>"},
			want: "refused"}},
		"a circle of no sign": {{doc: doc{area: "<circle>0,0 5</circle>"}, want: "refused"}},
		"a circle in km":      {{doc: doc{area: "<circle>15.12,108.80 5</circle>"}, want: "pending", alerts: 1}},
		"two polygons": {{doc: doc{area: "<polygon>0,0 1,0 1,1 0,0</polygon>" + square},
			want: "pending", alerts: 1}},
		"expired":             {{doc: doc{sent: at.Add(-2 * time.Hour)}, want: "ignored"}},
		"past":                {{doc: doc{urgency: "Past"}, want: "ignored"}},
		"no expiry":           {{doc: doc{expires: -1}, want: "pending", alerts: 1}},
		"an expiry in a week": {{doc: doc{expires: 7 * 24 * time.Hour}, want: "pending", alerts: 1}},
		"two languages":       {{doc: doc{lang: []string{"en-US", "vi-VN"}}, want: "pending", alerts: 1}},
		"an update": {{doc: first, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "b", msgType: "Update", refs: []doc{first}}, want: "pending", alerts: 1, state: "pending"}},
		"an update of what waits": {{doc: first, want: "pending", alerts: 1},
			{doc: doc{id: "b", msgType: "Update", refs: []doc{first}}, want: "pending", alerts: 1},
			{doc: first, want: "pending", alerts: 1, state: "ended refused"}},
		"an update of nothing":     {{doc: doc{msgType: "Update"}, want: "held"}},
		"an update of the unknown": {{doc: doc{msgType: "Update", refs: []doc{{id: "never"}}}, want: "held"}},
		"an update of another's": {{doc: first, want: "pending", alerts: 1},
			{doc: doc{id: "b", sender: "spy@vn", msgType: "Update", refs: []doc{first}}, want: "refused"}},
		"a cancel": {{doc: first, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "c", msgType: "Cancel", refs: []doc{first}}, want: "cancelled", alerts: 1, state: "ended cancelled"}},
		"a cancel of what waits": {{doc: first, want: "pending", alerts: 1},
			{doc: doc{id: "c", msgType: "Cancel", refs: []doc{first}}, want: "cancelled", alerts: 1, state: "ended cancelled"}},
		"a cancel that raises none": {{doc: doc{id: "c", msgType: "Cancel", refs: []doc{{id: "never"}}}, want: "held"}},
		"a cancel twice": {{doc: first, want: "pending", alerts: 1},
			{doc: doc{id: "c", msgType: "Cancel", refs: []doc{first}}, want: "cancelled", alerts: 1},
			{doc: doc{id: "d", msgType: "Cancel", refs: []doc{first}}, want: "ignored"}},
		"a cancel first": {{doc: doc{id: "c", msgType: "Cancel", refs: []doc{first}}, want: "held"},
			{doc: first, want: "ignored"}},
		"a cancel without a name": {{doc: doc{msgType: "Cancel"}, want: "refused"}},
		"a cancel by another": {{doc: first, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "c", sender: "spy@vn", msgType: "Cancel", refs: []doc{first}}, want: "refused"},
			{doc: first, want: "pending", alerts: 1, state: "running"}},
		"a cancel of a test": {{doc: doc{id: "t", status: "Test"}, want: "ignored"},
			{doc: doc{id: "c", msgType: "Cancel", refs: []doc{{id: "t"}}}, want: "ignored"}},
		"a test that cancels": {{doc: first, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "c", status: "Test", msgType: "Cancel", refs: []doc{first}}, want: "ignored"},
			{doc: first, want: "pending", alerts: 1, state: "running"}},
		"a chain": {{doc: first, want: "pending", alerts: 1, approve: true},
			{doc: doc{id: "b", msgType: "Update", refs: []doc{first}}, want: "pending", alerts: 1, approve: true,
				state: "running"},
			{doc: doc{id: "c", msgType: "Cancel", refs: []doc{first, {id: "b"}}}, want: "cancelled", alerts: 1,
				state: "ended cancelled"}},
	} {
		t.Run(name, func(t *testing.T) { chain(t, at, steps) })
	}
}

// chain submits documents in order and restarts the service after each.
func chain(t *testing.T, at time.Time, steps []capStep) {
	t.Helper()
	w := newWorld()
	w.Faces[0].Position = &playlists.Place{Lat: 15.12, Lon: 108.80}
	s := w.open(t)
	sent := map[string]time.Time{}
	for i, st := range steps {
		st.doc = pinned(st.doc, at, sent)
		r, err := s.CAP(t.Context(), author, st.xml(), playlists.AlertOverride{})
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if r.Outcome != st.want || len(r.Alerts) != st.alerts || r.Because.VI == "" || r.Because.EN == "" {
			t.Fatalf("step %d: %+v; want %s with %d alerts", i, r, st.want, st.alerts)
		}
		if st.approve {
			approveIt(t, s, r.Alerts[0])
		}
		if st.state != "" {
			var states []string
			for _, id := range r.Alerts {
				v, err := s.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				states = append(states, strings.TrimSpace(string(v.State)+" "+v.Why))
			}
			if got := strings.Join(slices.Compact(states), ", "); got != st.state {
				t.Errorf("step %d: %v is %s, want %s", i, r.Alerts, got, st.state)
			}
		}
		s = w.open(t) // records survive a restart
	}
}

// pinned sets the sent time of a document and of those that it references to the time
// of their first use.
func pinned(d doc, at time.Time, sent map[string]time.Time) doc {
	if d.sent.IsZero() {
		d.sent = at
	}
	k := d.fill().id
	if t, ok := sent[k]; ok {
		d.sent = t
	}
	sent[k] = d.sent
	refs := d.refs
	d.refs = nil
	for _, r := range refs {
		d.refs = append(d.refs, pinned(r, at, sent))
	}
	return d
}

func approveIt(t *testing.T, s *service, id string) {
	t.Helper()
	p, err := s.Preview(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Approve(t.Context(), approver, id, read(t, s, id, p.Signs)); err != nil {
		t.Fatal(err)
	}
}

// The lifetime, priority, targets and message of an alert from a document.
func TestCAPAlert(t *testing.T) {
	w := newWorld()
	w.Faces[1].Position = &playlists.Place{Lat: 14.80, Lon: 108.95}
	s := w.open(t)
	now := time.Now()
	take := func(d doc) *playlists.AlertView {
		t.Helper()
		r, err := s.CAP(t.Context(), author, d.xml(), playlists.AlertOverride{})
		if err != nil || len(r.Alerts) != 1 {
			t.Fatalf("%+v %v", r, err)
		}
		v, err := s.Get(t.Context(), r.Alerts[0])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		d        doc
		life     time.Duration
		priority int64
	}{
		{doc{id: "x1", expires: -1}, time.Hour, 150},
		{doc{id: "x2", expires: 7 * 24 * time.Hour, severity: "Extreme"}, 24 * time.Hour, 200},
		{doc{id: "x3", expires: 2 * time.Hour, severity: "Unknown"}, 2 * time.Hour, 50},
	} {
		v := take(c.d)
		if got := time.Unix(int64(v.Until), 0).Sub(now); got > c.life+time.Second || got < c.life-2*time.Second ||
			v.Priority != c.priority {
			t.Errorf("%s: %v, priority %d", c.d.id, got, v.Priority)
		}
	}
	v := take(doc{id: "both", lang: []string{"en-US", "vi-VN"},
		area: "<geocode><valueName>GSO</valueName><value>527</value></geocode><circle>14.80,108.95 1</circle>"})
	if fmt.Sprint(v.Areas, v.Signs) != "[quang-ngai/son-tinh] [s2]" {
		t.Errorf("reaches %v %v", v.Areas, v.Signs)
	}
	m := w.Messages[v.ID]
	if len(m.Variants) != 2 || m.Variants[0].Lang != "vi" || m.Variants[0].Headline != "Lũ lên nhanh both" ||
		m.Variants[1].Headline != "Flood both" {
		t.Errorf("%+v", m)
	}
	if v.CreatedBy != author.ID {
		t.Errorf("by %s", v.CreatedBy)
	}
	if _, err := s.Approve(t.Context(), author, v.ID, read(t, s, v.ID, 3)); err == nil {
		t.Error("the submitter approved the alert")
	}
}

// A part that fails does not stop the other parts, and the result of an Update with
// fewer parts names the alerts that continue.
func TestCAPParts(t *testing.T) {
	w := newWorld()
	w.Faces[1].Position = &playlists.Place{Lat: 14.80, Lon: 108.95}
	s := w.open(t)
	two := func(d doc, area string) []byte { // d with its info repeated for another area
		whole := string(d.xml())
		to := strings.Index(whole, "</info>") + len("</info>")
		d.area = area
		other := string(d.xml())
		info := other[strings.Index(other, "<info>") : strings.Index(other, "</info>")+len("</info>")]
		return []byte(whole[:to] + info + whole[to:])
	}
	const coast, nowhere = "<circle>14.80,108.95 1</circle>",
		"<geocode><valueName>GSO</valueName><value>99999</value></geocode>"
	r, err := s.CAP(t.Context(), author, two(doc{id: "half"}, nowhere), playlists.AlertOverride{})
	if err != nil || r.Outcome != playlists.CAPPending || len(r.Alerts) != 1 ||
		!strings.Contains(r.Because.EN, "A part of it cannot be taken") ||
		!strings.Contains(r.Because.EN, "no polygon, circle or geocode") ||
		!strings.Contains(r.Because.VI, "Một phần không nhận được: ") || strings.Contains(r.Because.VI, "polygon, circle") {
		t.Fatalf("%+v %v", r, err)
	}
	first := doc{id: "both", sent: time.Now().Add(-time.Minute).Truncate(time.Second)}
	r, err = s.CAP(t.Context(), author, two(first, coast), playlists.AlertOverride{})
	if err != nil || len(r.Alerts) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	for _, id := range r.Alerts {
		v, err := s.Get(t.Context(), id)
		if err == nil {
			_, err = s.Approve(t.Context(), approver, id, read(t, s, id, v.Targeted))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err = s.CAP(t.Context(), author, doc{id: "less", msgType: "Update", refs: []doc{first}}.xml(),
		playlists.AlertOverride{})
	if err != nil || r.Outcome != playlists.CAPPending || len(r.Alerts) != 1 ||
		!strings.Contains(r.Because.EN, "One alert of the former document goes on") {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestCAPPolicy(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	admin := &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleAdmin}
	set := func(p playlists.CAPPolicy) {
		t.Helper()
		if err := s.SetCAPPolicy(t.Context(), admin, p); err != nil {
			t.Fatal(err)
		}
	}
	outcome := func(id string, change ...func(*doc)) string {
		t.Helper()
		d := doc{id: id}
		for _, f := range change {
			f(&d)
		}
		r, err := fromFeed(t, s, d.xml())
		if err != nil {
			t.Fatal(err)
		}
		return r.Outcome
	}
	auto := playlists.CAPPolicy{Senders: []string{"kttv@vn"},
		Auto: &playlists.CAPAuto{Areas: []string{"quang-ngai/son-tinh"}, MaxPriority: 150}}
	set(auto)
	if got := outcome("1"); got != "pending" {
		t.Errorf("before another person approved: %s", got)
	}
	if err := s.ApproveCAPPolicy(t.Context(), admin, policyDigest(s)); err == nil {
		t.Error("the proposer approved the policy")
	}
	// The proposer acts through a credential that the approver has made, and names other makers.
	made := *admin
	made.Makers = []string{approver.ID}
	forged := auto
	forged.Makers = []string{"user:nobody"}
	forged.Auto = &playlists.CAPAuto{Areas: []string{"quang-ngai/son-tinh"}, MaxPriority: 149}
	if err := s.SetCAPPolicy(t.Context(), &made, forged); err != nil {
		t.Fatal(err)
	}
	if err := s.ApproveCAPPolicy(t.Context(), approver, policyDigest(s)); err == nil {
		t.Error("who made the proposer's credential approved the policy")
	}
	set(auto)
	if err := s.ApproveCAPPolicy(t.Context(), approver, policyDigest(s)); err != nil {
		t.Fatal(err)
	}
	s = w.open(t)
	if got := outcome("2"); got != "running" {
		t.Errorf("by the policy: %s", got)
	}
	// A document from a person always needs approval, whatever sender it names.
	if r, err := s.CAP(t.Context(), author, doc{id: "forged"}.xml(), playlists.AlertOverride{}); err != nil ||
		r.Outcome != "pending" {
		t.Errorf("submitted by a person: %+v %v", r, err)
	}
	for id, f := range map[string]func(*doc){
		"3": func(d *doc) { d.severity = "Extreme" },
		"4": func(d *doc) { d.area = "<geocode><valueName>GSO</valueName><value>51</value></geocode>" },
	} {
		if got := outcome(id, f); got != "pending" {
			t.Errorf("beyond the policy: %s", got)
		}
	}
	if got := outcome("5", func(d *doc) { d.sender = "spy@vn" }); got != "refused" {
		t.Errorf("a sender that is not allowed: %s", got)
	}
	if got := outcome("6", func(d *doc) { d.status = "Test" }); got != "ignored" {
		t.Errorf("a test: %s", got)
	}
	for what, change := range map[string]func(*playlists.CAPPolicy){
		"feeds": func(p *playlists.CAPPolicy) {
			p.Feeds = []playlists.CAPFeed{{ID: "f1", URL: "https://example.org/feed"}}
		},
		"senders": func(p *playlists.CAPPolicy) { p.Senders = []string{"kttv@vn", "more@vn"} },
	} {
		read := policyDigest(s)
		p := auto
		change(&p)
		set(p)
		if now, _, _ := s.CAPPolicy(); now.ApprovedBy != "" || now.ProposedBy != admin.ID {
			t.Errorf("%s changed, but the approval is still valid: %+v", what, now)
		}
		err := s.ApproveCAPPolicy(t.Context(), approver, read)
		refused(t, "the digest of another version", err, "belongs to an earlier version")
		refused(t, "no digest", s.ApproveCAPPolicy(t.Context(), approver, ""), "is missing")
		set(auto)
		if err := s.ApproveCAPPolicy(t.Context(), approver, policyDigest(s)); err != nil {
			t.Fatal(err)
		}
		if set(auto); outcome("again-"+what) != "running" { // the same policy again is no change
			t.Error("the approval is gone")
		}
	}
	wider := auto
	wider.Auto = &playlists.CAPAuto{Areas: []string{"quang-ngai"}, MaxPriority: 1000}
	set(wider)
	if got := outcome("7"); got != "pending" {
		t.Errorf("after a change: %s", got)
	}
	for what, bad := range map[string]playlists.CAPPolicy{
		"no senders": {Auto: wider.Auto},
		"no areas":   {Senders: auto.Senders, Auto: &playlists.CAPAuto{}},
		"a file":     {Feeds: []playlists.CAPFeed{{ID: "f1", URL: "file:///etc/passwd"}}},
		"in clear":   {Feeds: []playlists.CAPFeed{{ID: "f1", URL: "http://example.org/feed"}}},
		"a password": {Feeds: []playlists.CAPFeed{{ID: "f1", URL: "https://a:b@example.org/feed"}}},
		"too often":  {Feeds: []playlists.CAPFeed{{ID: "f1", URL: "https://example.org/feed", EveryS: 1}}},
		"twice": {Feeds: []playlists.CAPFeed{{ID: "f1", URL: "https://example.org/1"},
			{ID: "f1", URL: "https://example.org/2"}}},
	} {
		if err := s.SetCAPPolicy(t.Context(), admin, bad); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}
