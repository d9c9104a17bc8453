package publish

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Alerts provides the alerts to publish and is told what was published. All
// methods but Art answer from memory.
type Alerts interface {
	// Wanted returns the alerts that run at t, those that ended early, and when
	// either changes next (zero if time alone changes neither).
	Wanted(t time.Time) (alerts []playlists.Alert, ended []playlists.EndedAlert, next time.Time)
	// Art returns the artwork of an alert for a class. It is nil if the class shows nothing of the alert, or if the
	// alert is not drawn yet; KickAlerts is called once it is drawn.
	Art(ctx context.Context, alert string, c playlists.Class) (*playlists.Artwork, error)
	// Published reports that the broker has a set and all its frames.
	Published(set *timeline.AlertSet, test bool)
	// Pictured reports that the broker has a picture of an alert for a picture sign.
	Pictured(sign, alert string)
}

// setKey identifies an alert set and its topic.
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

// issuedSet is the last issued set of a topic.
type issuedSet struct {
	playlists.Issued
	set *timeline.AlertSet
}

func (s *issuedSet) empty() bool { return len(s.set.Alerts)+len(s.set.Ended) == 0 }

// alertState is the publisher's state for alerts. Alerts have their own loop,
// so that they do not wait while thousands of programs are planned.
type alertState struct {
	kick    chan struct{}
	running sync.Mutex // held by SyncAlerts

	mu        sync.Mutex
	classes   map[string]*classSigns
	sets      map[setKey]*issuedSet
	frames    map[string]*playlists.FrameFile // frames of the sets, by digest
	changed   chan struct{}                   // closed when sets change
	requested int64                           // how often a sync was requested
	completed int64                           // requested when the last successful sync began
}

// classSigns are the signs of one class.
type classSigns struct {
	class playlists.Class
	signs []playlists.Sign
	ids   map[string]bool
}

func newAlertState() *alertState {
	return &alertState{kick: make(chan struct{}, 1), sets: map[setKey]*issuedSet{},
		frames: map[string]*playlists.FrameFile{}, changed: make(chan struct{}), requested: 1}
}

// KickAlerts requests an immediate sync of alerts. It never blocks.
func (p *Publisher) KickAlerts() {
	p.alerts.mu.Lock()
	p.alerts.requested++
	p.alerts.mu.Unlock()
	select {
	case p.alerts.kick <- struct{}{}:
	default:
	}
}

// setSigns replaces the known signs and requests a sync, so that new signs get
// running alerts.
func (p *Publisher) setSigns(signs []playlists.Sign) {
	classes := map[string]*classSigns{}
	for i := range signs {
		c := signs[i].Class.String()
		if classes[c] == nil {
			classes[c] = &classSigns{class: signs[i].Class, ids: map[string]bool{}}
		}
		classes[c].signs = append(classes[c].signs, signs[i])
		classes[c].ids[signs[i].ID] = true
	}
	p.alerts.mu.Lock()
	p.alerts.classes = classes
	p.alerts.mu.Unlock()
	p.KickAlerts()
}

// RunAlerts publishes alert sets until ctx ends: on request, when an alert
// begins or ends, and again after an error.
func (p *Publisher) RunAlerts(ctx context.Context) {
	if p.o.Alerts == nil {
		return
	}
	t := time.NewTimer(recheck)
	defer t.Stop()
	retry := time.Second
	var limiter logLimiter
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.alerts.kick:
		case <-t.C:
		}
		next, err := p.SyncAlerts(ctx)
		wait := recheck
		if err != nil {
			if ctx.Err() == nil {
				p.o.Log.Log(ctx, limiter.level(err, p.o.Now()), "publishing alerts failed and is retried", "err", err)
			}
			wait, retry = retry, min(2*retry, 30*time.Second)
		} else {
			retry = time.Second
		}
		if !next.IsZero() { // after an error too: another alert may begin
			wait = min(wait, max(0, next.Sub(p.o.Now())))
		}
		t.Reset(wait)
	}
}

// SyncAlerts publishes the alert sets that are wanted now, frames before the
// sets that name them. It returns when an alert begins or ends next.
func (p *Publisher) SyncAlerts(ctx context.Context) (next time.Time, err error) {
	b := p.alerts
	b.running.Lock()
	defer b.running.Unlock()
	b.mu.Lock()
	requested, classes := b.requested, b.classes
	b.mu.Unlock()
	if classes == nil {
		signs, err := p.signs(ctx)
		if err != nil {
			return next, err
		}
		p.setSigns(signs)
		b.mu.Lock()
		requested, classes = b.requested, b.classes
		b.mu.Unlock()
	}
	now := p.o.Now() // read before doubt, which then notices a clock that jumps in between
	guess, inDoubt := p.o.doubt()
	alerts, ended, next := p.o.Alerts.Wanted(now)
	var drafts []*draftedSet
	var errs []error
	for _, c := range classes {
		for _, test := range []bool{false, true} {
			k := setKey{c.class.String(), test}
			if err := p.loadSet(ctx, k); err != nil {
				return next, err
			}
			var d *draftedSet
			var err error
			if inDoubt {
				d, err = p.draftCancel(ctx, k, c.class, guess)
			} else {
				d, err = p.draftSet(ctx, k, c, alerts, ended, now)
			}
			if err != nil {
				errs = append(errs, err) // other classes go on
			}
			if d != nil {
				drafts = append(drafts, d)
			}
		}
	}
	if _, doubted := p.o.doubt(); doubted && !inDoubt && len(drafts) > 0 {
		return next, errDoubt // doubt began while the sets were drafted; the next sync drafts them again
	}
	if inDoubt {
		now = time.Time{} // no set counts as expired
	}
	if err := p.issueSets(ctx, drafts, now); err != nil {
		return next, err
	}
	if err := p.publishSets(ctx, now); err != nil {
		return next, err
	}
	if err := errors.Join(errs...); err != nil {
		return next, err
	}
	b.mu.Lock()
	b.completed = requested
	b.mu.Unlock()
	return next, nil
}

// unknown stands for the digest of a message that the broker may hold from an
// earlier run of the controller.
const unknown = "unknown"

// loadSet loads the set that an earlier run of the controller issued last.
func (p *Publisher) loadSet(ctx context.Context, k setKey) error {
	p.alerts.mu.Lock()
	_, known := p.alerts.sets[k]
	p.alerts.mu.Unlock()
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
			p.o.Log.Warn("cannot read a stored alert set; issuing a new one", "class", k.class, "err", err)
			s.set, s.Digest = &timeline.AlertSet{Class: k.class}, unknown
		}
		if s.Iat*1000 <= p.o.Restored {
			s.Digest = unknown // signs may have seen a later set
		}
		p.mu.Lock()
		note := func(topic string) {
			if p.sent[topic] == "" {
				p.sent[topic] = unknown
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
	p.alerts.mu.Lock()
	p.alerts.sets[k] = s
	p.alerts.mu.Unlock()
	return nil
}

func isAlertFrame(topic string) bool {
	return strings.HasPrefix(topic, wire.Prefix+"alerts") && strings.Contains(topic, "/frames/")
}

func (p *Publisher) alertsReady() bool {
	if p.o.Alerts == nil {
		return true
	}
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	return p.alerts.completed == p.alerts.requested
}

func (p *Publisher) alertFrame(sha string) *playlists.FrameFile {
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	return p.alerts.frames[sha]
}

// AlertSet returns the last issued set of a class, nil before the first, and a
// channel that is closed when any set changes.
func (p *Publisher) AlertSet(class string, test bool) (*timeline.AlertSet, <-chan struct{}) {
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	if s := p.alerts.sets[setKey{class, test}]; s != nil && s.Seq > 0 {
		return s.set, p.alerts.changed
	}
	return nil, p.alerts.changed
}

// AlertsAt returns the alerts that a class's set will hold at a future time,
// as far as they are approved now.
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
		if art == nil {
			continue
		}
		out = append(out, alerts[i].OnWire(art, func(string) bool { return true }))
	}
	return out, nil
}
