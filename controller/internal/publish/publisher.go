package publish

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// RenewAfter is the age in seconds at which an unchanged program is issued again
// (docs/protocol.md, Signed documents).
const RenewAfter = 24 * 3600

// FrameGrace is how long a frame stays published after its last reference is gone.
const FrameGrace = 24 * time.Hour

// recheck is how often everything is synced without a request.
const recheck = time.Minute

// Options are the dependencies of a Publisher.
type Options struct {
	Broker    Broker
	Catalogue Catalogue
	Artist    Artist
	Ledger    Ledger
	Keys      Keys
	Now       func() time.Time
	Log       *slog.Logger
	// Doubt, if given, reports whether the clock is in doubt, and the best estimate of the time. In doubt only cancels
	// are issued.
	Doubt func() (guess time.Time, doubted bool)
	// Restored is when the database was restored from a backup (Unix ms), or 0.
	// Documents issued before are issued again, because signs may have seen
	// later ones that are not in the backup.
	Restored int64
	// Alerts, if given, provides what RunAlerts publishes.
	Alerts Alerts
	// Expect, if given, is called for each document that a sign should ack; see Resync.
	Expect func(sign, what string, seq int64)
	// Acked, if given, returns the seq of the program that the sign acked last, or
	// 0 if unknown. The frames of that program stay published.
	Acked func(sign string) int64
	// Topics stores which topics were retained. It may be nil if the broker stops
	// with the publisher.
	Topics Topics
	// Lacking, if given, reports what signs are missing; see Repair.
	Lacking Lacking
	// Limits, if given, returns the limits that a sign has declared.
	Limits func(sign string) plan.Limits
}

// Seq returns the seq of the program that a sign should play, or 0.
func (p *Publisher) Seq(sign string) int64 {
	if plan := p.Plan(sign); plan != nil {
		return plan.Program.Seq
	}
	return 0
}

// Plan is the last issued program of a sign.
type Plan struct {
	Sign    playlists.Sign
	Program *timeline.Program
	Titles  map[string]string // title of each item, by owner/id
	Reasons *plan.Reasons

	seq      int64
	iat      int64
	epoch    int64
	digest   string
	sha      string                 // of the signed document, which the ledger stores
	files    []*playlists.FrameFile // the frames of Program
	replaced []replacedProgram      // programs that the sign may still have
}

// replacedProgram is a program that was replaced, and that the sign or a page may still show.
type replacedProgram struct {
	seq   int64
	until time.Time // a page asks for its frames no longer
	files []*playlists.FrameFile
}

// pageGrace is how long a page may ask for the frames of a program that was replaced meanwhile.
const pageGrace = 2 * time.Minute

// Publisher publishes what the broker should retain. Run does the work.
type Publisher struct {
	o       Options
	kick    chan struct{}
	running sync.Mutex // held by Reconcile

	mu        sync.Mutex
	plans     map[string]*Plan                // by sign
	frames    map[string]*playlists.FrameFile // by topic; of plans and replaced programs
	bySHA     map[string]*playlists.FrameFile // the same by digest
	problems  map[string]playlists.Text       // sign → why planning it failed
	sent      map[string]string               // topic → digest of what was sent on this connection
	topics    map[string]int64                // see Topics; used by Reconcile only
	urgent    map[string]bool                 // owners whose signs are planned first
	requested int64                           // how often a sync was requested
	completed int64                           // requested when the last successful sync began
	pictures  map[string]*picture
	repaired  map[string]time.Time // when Repair last had a topic published again
	renewAt   map[string]time.Time // when to publish keys and alert sets again

	alerts *alertState
}

// New returns a publisher that does nothing before Run.
func New(o Options) *Publisher {
	if o.Topics == nil {
		o.Topics = memoryTopics{}
	}
	return &Publisher{o: o, kick: make(chan struct{}, 1), plans: map[string]*Plan{},
		frames: map[string]*playlists.FrameFile{}, bySHA: map[string]*playlists.FrameFile{},
		problems: map[string]playlists.Text{}, sent: map[string]string{}, urgent: map[string]bool{},
		repaired: map[string]time.Time{}, renewAt: map[string]time.Time{},
		pictures: map[string]*picture{}, requested: 1, alerts: newAlertState()}
}

// Kick requests a sync. It never blocks.
func (p *Publisher) Kick() {
	p.mu.Lock()
	p.requested++
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// KickOwner requests a sync that plans the signs of one owner first: a company's
// change must not wait for thousands of signs.
func (p *Publisher) KickOwner(owner string) {
	p.mu.Lock()
	if owner != playlists.Public { // public content is on all signs
		p.urgent[owner] = true
	}
	p.mu.Unlock()
	p.Kick()
}

// Connected reports a new connection, to a broker that may be empty.
func (p *Publisher) Connected() {
	p.mu.Lock()
	sent := map[string]string{}
	for topic, digest := range p.sent {
		if digest == unknown { // an alert of an earlier run, which the broker may still hold
			sent[topic] = digest
		}
	}
	p.sent = sent
	p.mu.Unlock()
	p.KickAlerts()
	p.Kick()
}

// Ready reports whether the broker is up to date: no sync was requested since
// the last successful one began.
func (p *Publisher) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.completed == p.requested && p.alertsReady()
}

// Plan returns a sign's program, or nil.
func (p *Publisher) Plan(sign string) *Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans[sign]
}

// Problem returns why planning a sign failed, or an empty text. The sign keeps
// its last program.
func (p *Publisher) Problem(sign string) playlists.Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problems[sign]
}

// Programs returns the number of signs that have a program.
func (p *Publisher) Programs() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.plans)
}

// Problems returns the number of signs that cannot be planned.
func (p *Publisher) Problems() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.problems)
}

// Frame returns the file of a frame that a plan or an alert references, or nil.
func (p *Publisher) Frame(sha string) *playlists.FrameFile {
	p.mu.Lock()
	f := p.bySHA[sha]
	p.mu.Unlock()
	if f == nil {
		f = p.alertFrame(sha)
	}
	return f
}

// ProgramFrame returns the file of a frame of the sign's program, or of one that it replaced and that a sign or a page
// may still show; nil where there is none.
func (p *Publisher) ProgramFrame(sign, sha string) *playlists.FrameFile {
	p.mu.Lock()
	defer p.mu.Unlock()
	plan := p.plans[sign]
	if plan == nil {
		return nil
	}
	all := [][]*playlists.FrameFile{plan.files}
	for _, f := range plan.replaced {
		all = append(all, f.files)
	}
	for _, files := range all {
		for _, f := range files {
			if f.SHA256 == sha {
				return f
			}
		}
	}
	return nil
}

// Run plans and publishes until ctx ends.
func (p *Publisher) Run(ctx context.Context) {
	t := time.NewTicker(recheck)
	defer t.Stop()
	defer p.stopPictures()
	var limiter logLimiter
	for {
		select { // the first connection kicks
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-t.C:
		}
		if err := p.Reconcile(ctx); err != nil && ctx.Err() == nil {
			p.o.Log.Log(ctx, limiter.level(err, p.o.Now()), "publishing failed and is retried", "err", err)
		}
	}
}

// Reconcile plans every sign, issues what changed, and publishes what the broker
// lacks, frames before the programs that reference them. A sign that cannot be
// planned keeps its last program; Problem returns why.
func (p *Publisher) Reconcile(ctx context.Context) error {
	p.running.Lock()
	defer p.running.Unlock()
	p.mu.Lock()
	requested, urgent := p.requested, p.urgent
	p.urgent = map[string]bool{}
	p.mu.Unlock()
	signs, err := p.signs(ctx)
	if err != nil {
		return err
	}
	p.setSigns(signs)
	var some []playlists.Sign
	for i := range signs {
		if urgent[signs[i].Owner] {
			some = append(some, signs[i])
		}
	}
	if len(some) > 0 {
		if err := p.plan(ctx, some, false); err != nil {
			return err
		}
		if err := p.publishSome(ctx, some); err != nil {
			return err
		}
		p.runPictures(ctx)
	}
	if err := p.plan(ctx, signs, true); err != nil {
		return err
	}
	p.dropPictures()
	if err := p.publish(ctx); err != nil {
		return err
	}
	p.expectPrograms()
	p.runPictures(ctx)
	p.mu.Lock()
	p.completed = requested
	p.mu.Unlock()
	return nil
}

// signs returns the signs that get anything. A sign that waits for the department gets nothing.
func (p *Publisher) signs(ctx context.Context) ([]playlists.Sign, error) {
	all, err := p.o.Catalogue.Signs(ctx)
	waits := func(s playlists.Sign) bool { return s.Alerts == playlists.AlertsWaiting }
	if !slices.ContainsFunc(all, waits) {
		return all, err
	}
	return slices.DeleteFunc(slices.Clone(all), waits), err
}

// inFlight is the largest number of unacknowledged messages.
const inFlight = 16

// wanted is what a topic should retain. payload is called only to publish it.
type wanted struct {
	topic, digest string
	payload       func(ctx context.Context) ([]byte, error)
}

// publish publishes what was not sent on this connection: frames, then the keys,
// then the programs that need both.
func (p *Publisher) publish(ctx context.Context) error {
	p.renewDue(wire.TopicKeys)
	var frames, programs []wanted
	referenced := map[string]bool{}
	p.mu.Lock()
	for topic, f := range p.frames {
		referenced[topic] = true
		frames = append(frames, wanted{topic, f.SHA256, func(context.Context) ([]byte, error) { return f.Data, nil }})
	}
	for id, plan := range p.plans {
		if plan.Sign.Picture() {
			referenced[wire.SignTopic(id, wire.LeafFrame)] = true
			continue
		}
		programs = append(programs, p.program(id, plan))
		referenced[wire.SignTopic(id, wire.LeafProgram)] = true
	}
	for id := range p.problems { // a sign that was never planned still exists
		referenced[wire.SignTopic(id, wire.LeafProgram)], referenced[wire.SignTopic(id, wire.LeafFrame)] = true, true
	}
	p.mu.Unlock()
	if err := p.remember(ctx, slices.Collect(maps.Keys(referenced))); err != nil {
		return err
	}
	if err := p.send(ctx, frames, programs); err != nil {
		return err
	}
	return p.clean(ctx, referenced)
}

// publishSome is publish for some signs. It removes nothing.
func (p *Publisher) publishSome(ctx context.Context, signs []playlists.Sign) error {
	var frames, programs []wanted
	seen := map[string]bool{}
	p.mu.Lock()
	for i := range signs {
		plan := p.plans[signs[i].ID]
		if plan == nil || plan.Sign.Picture() {
			continue
		}
		for _, f := range plan.files {
			if topic := wire.FrameTopic(f.Owner, f.SHA256); !seen[topic] {
				seen[topic] = true
				frames = append(frames, wanted{topic, f.SHA256, func(context.Context) ([]byte, error) { return f.Data, nil }})
			}
		}
		programs = append(programs, p.program(signs[i].ID, plan))
	}
	p.mu.Unlock()
	var topics []string
	for _, w := range slices.Concat(frames, programs) {
		topics = append(topics, w.topic)
	}
	if err := p.remember(ctx, topics); err != nil {
		return err
	}
	return p.send(ctx, frames, programs)
}

func (p *Publisher) program(id string, plan *Plan) wanted {
	return wanted{wire.SignTopic(id, wire.LeafProgram), plan.sha,
		func(ctx context.Context) ([]byte, error) { return p.signed(ctx, id, plan) }}
}

// send publishes what was not sent on this connection yet.
func (p *Publisher) send(ctx context.Context, frames, programs []wanted) error {
	keys := p.o.Keys.KeySet()
	set := wanted{wire.TopicKeys, wire.Digest(keys), func(context.Context) ([]byte, error) { return keys, nil }}
	for _, some := range [][]wanted{frames, {set}, programs} {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(inFlight)
		for _, w := range some {
			p.mu.Lock()
			same := p.sent[w.topic] == w.digest
			p.mu.Unlock()
			if !same {
				g.Go(func() error { return p.retain(ctx, w) })
			}
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// signed reads a sign's signed program from the ledger. Thousands of them would
// fill the memory.
func (p *Publisher) signed(ctx context.Context, id string, plan *Plan) ([]byte, error) {
	last, err := p.o.Ledger.Latest(ctx, wire.RoleProgram, id)
	if err != nil {
		return nil, err
	}
	if last == nil || wire.Digest(last.JWS) != plan.sha {
		return nil, fmt.Errorf("the program of %s is not the one that was issued", id)
	}
	return last.JWS, nil
}

// retain publishes what a topic should retain.
func (p *Publisher) retain(ctx context.Context, w wanted) error {
	payload, err := w.payload(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	sent := p.sent // a new connection replaces the map
	p.mu.Unlock()
	if err := p.o.Broker.Publish(ctx, w.topic, payload, true); err != nil {
		return fmt.Errorf("publish %s: %w", w.topic, err)
	}
	p.mu.Lock()
	sent[w.topic] = w.digest
	p.mu.Unlock()
	return nil
}
