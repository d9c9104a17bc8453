package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Alerts says what signs should have of alerts, and hears what became of it.
// All but Art answer from memory.
type Alerts interface {
	// Wanted is what runs at t, what ended before its time, and when that
	// changes next (zero: not by itself).
	Wanted(t time.Time) (alerts []playlists.Alert, ended []playlists.EndedAlert, next time.Time)
	// Art is how an alert looks on a class: drawn once.
	Art(ctx context.Context, alert string, c playlists.Class) (*playlists.Artwork, error)
	// Published says that the broker took a set with its frames.
	Published(set *timeline.AlertSet, test bool)
	// Pictured says that it took a picture of an alert for a picture sign.
	Pictured(sign, alert string)
}

// setKey is one topic of alert sets.
type setKey struct {
	class string
	test  bool
}

func (k setKey) role() string {
	if k.test {
		return wire.RoleAlertsTest
	}
	return wire.RoleAlerts
}

func (k setKey) typ() string {
	if k.test {
		return wire.TypAlertsTest
	}
	return wire.TypAlerts
}

// issuedSet is a set as it was issued last.
type issuedSet struct {
	Issued
	set *timeline.AlertSet
}

func (s *issuedSet) empty() bool { return len(s.set.Alerts)+len(s.set.Ended) == 0 }

// alertBoard is the publisher's part for alerts. It has a loop of its own: an
// alert does not wait for ten thousand programs to be planned.
type alertBoard struct {
	kick chan struct{}
	turn sync.Mutex // one comparison at a time

	mu      sync.Mutex
	classes map[string]*classSigns
	sets    map[setKey]*issuedSet
	frames  map[string]*playlists.FrameFile // by digest; those of sets
	changed chan struct{}                   // closed when sets change
	asked   int64
	done    int64
}

// classSigns are the signs of one class.
type classSigns struct {
	class playlists.Class
	signs []playlists.Sign
	ids   map[string]bool
}

func newAlertBoard() *alertBoard {
	return &alertBoard{kick: make(chan struct{}, 1), sets: map[setKey]*issuedSet{}, frames: map[string]*playlists.FrameFile{}, changed: make(chan struct{}), asked: 1}
}

// KickAlerts asks for a comparison of alerts at once. It never blocks.
func (p *Publisher) KickAlerts() {
	p.board.mu.Lock()
	p.board.asked++
	p.board.mu.Unlock()
	select {
	case p.board.kick <- struct{}{}:
	default:
	}
}

// knowSigns takes over what signs there are; new ones get what runs.
func (p *Publisher) knowSigns(signs []playlists.Sign) {
	classes := map[string]*classSigns{}
	for i := range signs {
		c := signs[i].Class.String()
		if classes[c] == nil {
			classes[c] = &classSigns{class: signs[i].Class, ids: map[string]bool{}}
		}
		classes[c].signs = append(classes[c].signs, signs[i])
		classes[c].ids[signs[i].ID] = true
	}
	p.board.mu.Lock()
	p.board.classes = classes
	p.board.mu.Unlock()
	p.KickAlerts()
}

// RunAlerts publishes alert sets until ctx ends: at once when it is asked to,
// when an alert begins or ends, and again where a broker did not take them.
func (p *Publisher) RunAlerts(ctx context.Context) {
	if p.o.Alerts == nil {
		return
	}
	t := time.NewTimer(recheck)
	defer t.Stop()
	retry := time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.board.kick:
		case <-t.C:
		}
		next, err := p.SyncAlerts(ctx)
		wait := recheck
		if err != nil {
			if ctx.Err() == nil {
				p.o.Log.Warn("alerts are behind and are tried again", "err", err)
			}
			wait, retry = retry, min(2*retry, 30*time.Second)
		} else {
			retry = time.Second
			if !next.IsZero() {
				wait = min(wait, max(0, next.Sub(p.o.Now())))
			}
		}
		t.Reset(wait)
	}
}

// SyncAlerts makes the broker hold the alert sets that are wanted now: frames
// before the sets that name them. It returns when that changes by itself.
func (p *Publisher) SyncAlerts(ctx context.Context) (next time.Time, err error) {
	b := p.board
	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.Lock()
	asked, classes := b.asked, b.classes
	b.mu.Unlock()
	if classes == nil {
		signs, err := p.o.Catalogue.Signs(ctx)
		if err != nil {
			return next, err
		}
		p.knowSigns(signs)
		b.mu.Lock()
		asked, classes = b.asked, b.classes
		b.mu.Unlock()
	}
	now := p.o.Now()
	alerts, ended, next := p.o.Alerts.Wanted(now)
	var drafts []*draftedSet
	var troubles []error
	for _, c := range classes {
		for _, test := range []bool{false, true} {
			k := setKey{c.class.String(), test}
			if err := p.loadSet(ctx, k); err != nil {
				return next, err
			}
			d, err := p.draftSet(ctx, k, c, alerts, ended, now)
			if err != nil {
				troubles = append(troubles, err) // it delays no other class
			}
			if d != nil {
				drafts = append(drafts, d)
			}
		}
	}
	if err := p.issueSets(ctx, drafts, now); err != nil {
		return next, err
	}
	if err := p.publishSets(ctx, now); err != nil {
		return next, err
	}
	if err := errors.Join(troubles...); err != nil {
		return next, err
	}
	b.mu.Lock()
	b.done = asked
	b.mu.Unlock()
	return next, nil
}

// unknown is in place of the digest of what an outside broker may still hold
// from before this start.
const unknown = "unknown"

// loadSet reads what was issued before this start.
func (p *Publisher) loadSet(ctx context.Context, k setKey) error {
	p.board.mu.Lock()
	_, known := p.board.sets[k]
	p.board.mu.Unlock()
	if known {
		return nil
	}
	last, err := p.o.Ledger.Latest(ctx, k.role(), k.class)
	if err != nil {
		return err
	}
	s := &issuedSet{set: &timeline.AlertSet{Class: k.class}}
	if last != nil {
		s.Issued = *last
		if s.set, err = wire.StoredAlerts(last.JWS, k.test); err != nil {
			p.o.Log.Warn("a stored alert set cannot be read and is issued anew", "class", k.class, "err", err)
			s.set, s.Digest = &timeline.AlertSet{Class: k.class}, unknown
		}
		p.mu.Lock()
		note := func(topic string) {
			if p.have[topic] == "" {
				p.have[topic] = unknown
			}
		}
		note(wire.AlertsTopic(k.class, k.test))
		for i := range s.set.Alerts {
			for _, f := range s.set.Alerts[i].Frames {
				note(wire.AlertFrameTopic(k.class, k.test, f.SHA256))
			}
		}
		p.mu.Unlock()
	}
	p.board.mu.Lock()
	p.board.sets[k] = s
	p.board.mu.Unlock()
	return nil
}

// draftedSet is a set that waits to be issued.
type draftedSet struct {
	key    setKey
	set    *timeline.AlertSet
	digest string
	frames []*playlists.FrameFile
}

// draftSet is a class's new set, or nil where the last one is right. An alert
// that cannot be drawn stays as it was in the last set, and is an error.
func (p *Publisher) draftSet(ctx context.Context, k setKey, c *classSigns, alerts []playlists.Alert, ended []playlists.EndedAlert, now time.Time) (*draftedSet, error) {
	p.board.mu.Lock()
	last := p.board.sets[k]
	p.board.mu.Unlock()
	d := &draftedSet{key: k, set: &timeline.AlertSet{Class: k.class, Alerts: []timeline.Alert{}, Ended: []timeline.Ended{}}}
	var troubles []error
	for i := range alerts {
		a := &alerts[i]
		if a.Test() != k.test || !slices.ContainsFunc(c.signs, func(s playlists.Sign) bool { return a.Reaches(&s) }) {
			continue
		}
		art, err := p.o.Alerts.Art(ctx, a.ID, c.class)
		if err != nil {
			troubles = append(troubles, fmt.Errorf("alert %s: %w", a.ID, err))
			for _, old := range last.set.Alerts {
				if old.ID == a.ID {
					d.set.Alerts = append(d.set.Alerts, old)
				}
			}
			continue
		}
		d.set.Alerts = append(d.set.Alerts, a.OnWire(art, func(s string) bool { return c.ids[s] }))
		for i := range art.Frames {
			d.frames = append(d.frames, &art.Frames[i])
		}
	}
	for _, e := range ended {
		named := slices.ContainsFunc(last.set.Alerts, func(a timeline.Alert) bool { return a.ID == e.ID }) ||
			slices.ContainsFunc(last.set.Ended, func(x timeline.Ended) bool { return x.ID == e.ID })
		if e.Alert.Test() == k.test && named {
			d.set.Ended = append(d.set.Ended, e.Ended)
		}
	}
	slices.SortFunc(d.set.Alerts, func(a, b timeline.Alert) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.set.Ended, func(a, b timeline.Ended) int { return strings.Compare(a.ID, b.ID) })
	for playlists.CheckClass(k.class, d.set.Alerts) != nil {
		// Approving checks this; a sign that came into reach since can still
		// make it so. Signs would refuse the whole set.
		lowest := 0
		for i := range d.set.Alerts {
			if d.set.Alerts[i].Priority < d.set.Alerts[lowest].Priority {
				lowest = i
			}
		}
		troubles = append(troubles, fmt.Errorf("alert %s: %w", d.set.Alerts[lowest].ID, playlists.CheckClass(k.class, d.set.Alerts)))
		d.set.Alerts = slices.Delete(d.set.Alerts, lowest, lowest+1)
	}
	text, err := json.Marshal(d.set)
	if err != nil {
		return nil, err
	}
	d.digest = wire.Digest(text)
	empty := len(d.set.Alerts)+len(d.set.Ended) == 0
	_, epoch, err := p.o.Keys.Signer(k.role())
	switch {
	case err != nil:
		return nil, err
	case last.Seq == 0 && empty: // there was never one
		return nil, errors.Join(troubles...)
	case last.Seq > 0 && last.Digest == d.digest && (empty || last.Epoch == epoch && now.Unix()-last.Iat < wire.LifeAlerts/2 && now.Unix() >= last.Iat-wire.Early):
		p.keepAlertFrames(d.frames)
		return nil, errors.Join(troubles...)
	}
	return d, errors.Join(troubles...)
}

func (p *Publisher) keepAlertFrames(files []*playlists.FrameFile) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	for _, f := range files {
		p.board.frames[f.SHA256] = f
	}
}

// issueSets signs and keeps the drafts, all or none.
func (p *Publisher) issueSets(ctx context.Context, drafts []*draftedSet, now time.Time) error {
	if len(drafts) == 0 {
		return nil
	}
	iat := now.Unix()
	asked := make([]Draft, len(drafts))
	keys := map[string][]byte{}
	for i, d := range drafts {
		key, epoch, err := p.o.Keys.Signer(d.key.role())
		if err != nil {
			return err
		}
		keys[d.key.role()] = key
		asked[i] = Draft{Role: d.key.role(), Subject: d.key.class, Epoch: epoch, IatMS: now.UnixMilli(), Exp: iat + wire.LifeAlerts, Digest: d.digest}
	}
	issued, err := p.o.Ledger.Issue(ctx, asked, func(i int, seq int64) ([]byte, error) {
		d := drafts[i]
		d.set.Header = wire.NewHeader(d.key.role(), asked[i].Epoch, seq, iat, wire.LifeAlerts)
		return wire.Seal(keys[d.key.role()], d.key.typ(), d.set)
	})
	if err != nil {
		return fmt.Errorf("issue alert sets: %w", err)
	}
	for i, d := range drafts {
		p.keepAlertFrames(d.frames)
		p.board.mu.Lock()
		p.board.sets[d.key] = &issuedSet{issued[i], d.set}
		p.board.mu.Unlock()
		p.o.Log.Info("alert set issued", "class", d.key.class, "test", d.key.test, "seq", issued[i].Seq, "alerts", len(d.set.Alerts), "ended", len(d.set.Ended))
	}
	p.board.mu.Lock()
	close(p.board.changed) // picture signs need no set: they need not wait for the broker
	p.board.changed = make(chan struct{})
	p.board.mu.Unlock()
	return nil
}

// publishSets sends what this connection's broker lacks, clears sets that were
// empty for a set's life, and removes frames that no set names any more.
func (p *Publisher) publishSets(ctx context.Context, now time.Time) error {
	p.board.mu.Lock()
	sets := make(map[setKey]*issuedSet, len(p.board.sets))
	for k, s := range p.board.sets {
		sets[k] = s
	}
	p.board.mu.Unlock()
	named, used := map[string]bool{}, map[string]bool{}
	for _, k := range p.quickFirst(sets) {
		s := sets[k]
		if s.Seq == 0 {
			continue
		}
		topic := wire.AlertsTopic(k.class, k.test)
		if s.empty() && now.Unix() >= s.Exp {
			if err := p.unretain(ctx, topic); err != nil {
				return err
			}
			continue
		}
		whole := true
		for i := range s.set.Alerts {
			for _, f := range s.set.Alerts[i].Frames {
				at := wire.AlertFrameTopic(k.class, k.test, f.SHA256)
				named[at], used[f.SHA256] = true, true
				file := p.Frame(f.SHA256)
				if file == nil { // one that could not be drawn again after a restart
					whole = false
					continue
				}
				if err := p.retain(ctx, at, file.Data); err != nil {
					return err
				}
			}
		}
		if err := p.retain(ctx, topic, s.JWS); err != nil {
			return err
		}
		if whole {
			p.o.Alerts.Published(s.set, k.test)
		}
		p.expectSet(k, s)
	}
	var gone []string
	p.mu.Lock()
	for topic := range p.have {
		if isAlertFrame(topic) && !named[topic] {
			gone = append(gone, topic)
		}
	}
	p.mu.Unlock()
	for _, topic := range gone {
		if err := p.unretain(ctx, topic); err != nil {
			return err
		}
	}
	p.board.mu.Lock()
	for sha := range p.board.frames {
		if !used[sha] {
			delete(p.board.frames, sha)
		}
	}
	p.board.mu.Unlock()
	return nil
}

// quickFirst orders sets by the bytes of frames that have to go before them: a
// cancel waits for no other class's pictures.
func (p *Publisher) quickFirst(sets map[setKey]*issuedSet) []setKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []setKey
	first := map[setKey]int64{}
	for k, s := range sets {
		keys = append(keys, k)
		for i := range s.set.Alerts {
			for _, f := range s.set.Alerts[i].Frames {
				if p.have[wire.AlertFrameTopic(k.class, k.test, f.SHA256)] != f.SHA256 {
					first[k] += f.Len
				}
			}
		}
	}
	slices.SortFunc(keys, func(a, b setKey) int {
		if first[a] != first[b] {
			return int(first[a] - first[b])
		}
		return strings.Compare(a.class, b.class)
	})
	return keys
}

// expectSet says which signs have something to say of a set.
func (p *Publisher) expectSet(k setKey, s *issuedSet) {
	if p.o.Expect == nil || s.empty() {
		return
	}
	p.board.mu.Lock()
	c := p.board.classes[k.class]
	p.board.mu.Unlock()
	if c == nil {
		return
	}
	for i := range c.signs {
		if x := &c.signs[i]; !x.Picture() && (!k.test || x.Test) {
			p.o.Expect(x.ID, k.role(), s.Seq)
			for j := range s.set.Alerts {
				if a := &s.set.Alerts[j]; a.Reaches(x.ID, x.Areas) {
					p.o.Expect(x.ID, AlertAck+a.ID, 1)
				}
			}
		}
	}
}

// unretain clears a topic that this connection's broker holds.
func (p *Publisher) unretain(ctx context.Context, topic string) error {
	p.mu.Lock()
	held := p.have[topic] != ""
	p.mu.Unlock()
	if !held {
		return nil
	}
	if err := p.o.Broker.Publish(ctx, topic, nil, true); err != nil {
		return fmt.Errorf("clear %s: %w", topic, err)
	}
	p.mu.Lock()
	delete(p.have, topic)
	p.mu.Unlock()
	return nil
}

func isAlertFrame(topic string) bool {
	return strings.HasPrefix(topic, wire.Prefix+"alerts") && strings.Contains(topic, "/frames/")
}

func (p *Publisher) alertsReady() bool {
	if p.o.Alerts == nil {
		return true
	}
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	return p.board.done == p.board.asked
}

func (p *Publisher) alertFrame(sha string) *playlists.FrameFile {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	return p.board.frames[sha]
}

// AlertSet is a class's set as it was issued last, nil before the first, and a
// channel that closes when any set changes.
func (p *Publisher) AlertSet(class string, test bool) (*timeline.AlertSet, <-chan struct{}) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	if s := p.board.sets[setKey{class, test}]; s != nil && s.Seq > 0 {
		return s.set, p.board.changed
	}
	return nil, p.board.changed
}

// AlertsAt is what a class's sets will hold at a time to come, as far as it is
// approved now.
func (p *Publisher) AlertsAt(ctx context.Context, c playlists.Class, test bool, t time.Time) ([]timeline.Alert, error) {
	if p.o.Alerts == nil {
		return nil, nil
	}
	alerts, _, _ := p.o.Alerts.Wanted(t)
	var out []timeline.Alert
	for i := range alerts {
		if alerts[i].Test() != test {
			continue
		}
		art, err := p.o.Alerts.Art(ctx, alerts[i].ID, c)
		if err != nil {
			return nil, err
		}
		out = append(out, alerts[i].OnWire(art, func(string) bool { return true }))
	}
	return out, nil
}
