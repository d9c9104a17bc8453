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

// RenewAfter is when a program is issued anew although nothing changed
// (PROTOCOL: programs daily), in seconds.
const RenewAfter = 24 * 3600

// FrameGrace is how long a frame stays published after nothing names it.
const FrameGrace = 24 * time.Hour

// recheck is how often everything is compared again without a reason.
const recheck = time.Minute

// Options are a Publisher's surroundings.
type Options struct {
	Broker    Broker
	Catalogue Catalogue
	Artist    Artist
	Ledger    Ledger
	Keys      Keys
	Now       func() time.Time
	Log       *slog.Logger
	// Doubt, if given, reports whether the clock is in doubt, and the best guess of the time. Then nothing new is
	// issued but cancels.
	Doubt func() (guess time.Time, doubted bool)
	// Restored is when the database was restored from a backup, Unix
	// milliseconds; 0 if it never was. What was issued before is issued anew:
	// signs may have seen later documents, which the backup knows nothing of.
	Restored int64
	// Alerts, if given, is what RunAlerts publishes.
	Alerts Alerts
	// Expect, if given, is told of all that a sign should ack; see Resync.
	Expect func(sign, what string, seq int64)
	// Acked, if given, is the seq of the program that the sign has acked last;
	// 0 where that is unknown. Its frames stay published until it is another.
	Acked func(sign string) int64
	// Topics remembers what was retained; nil where the broker lives no longer
	// than the publisher.
	Topics Topics
	// Lacking, if given, is what signs say that they have not got; see Repair.
	Lacking Lacking
	// Limits, if given, are those that the sign has declared.
	Limits func(sign string) plan.Limits
}

// Seq is the seq of the program that a sign should play; 0 for none.
func (p *Publisher) Seq(sign string) int64 {
	if plan := p.Plan(sign); plan != nil {
		return plan.Program.Seq
	}
	return 0
}

// Plan is a sign's program as it was issued last.
type Plan struct {
	Sign    playlists.Sign
	Program *timeline.Program
	Titles  map[string]string // what people call each item, by owner/id
	Reasons *plan.Reasons

	seq      int64
	iat      int64
	epoch    int64
	digest   string
	sha      string                 // of the signed document, which the ledger keeps
	files    []*playlists.FrameFile // what Program names
	replaced []replacedProgram      // programs that the sign may still have
}

// former is a program that was replaced before the sign acked its successor.
type replacedProgram struct {
	seq   int64
	files []*playlists.FrameFile
}

// Publisher makes wanted and retained agree. Run does the work.
type Publisher struct {
	o       Options
	kick    chan struct{}
	running sync.Mutex // one comparison at a time

	mu        sync.Mutex
	plans     map[string]*Plan                // by sign
	frames    map[string]*playlists.FrameFile // by topic; those of plans and their formers
	bySHA     map[string]*playlists.FrameFile // the same by digest
	problems  map[string]playlists.Text       // sign → why its plan cannot be made
	sent      map[string]string               // topic → digest of what this connection was sent
	topics    map[string]int64                // what was retained ever; see Topics; Reconcile's own
	urgent    map[string]bool                 // owners whose signs go before the others'
	requested int64                           // how often a comparison was asked for
	completed int64                           // what asked was when the last successful one began
	pictures  map[string]*picture
	repaired  map[string]time.Time // topics that were published again for silent signs; see Repair
	renewAt   map[string]time.Time // when keys and alert sets are published again in any case

	alerts *alertState
}

// New makes a publisher; nothing happens before Run.
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

// Kick asks for a comparison soon. It never blocks.
func (p *Publisher) Kick() {
	p.mu.Lock()
	p.requested++
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// KickOwner asks for a comparison soon, and for the signs of one owner before
// all others: what a company has changed must not wait for ten thousand signs.
func (p *Publisher) KickOwner(owner string) {
	p.mu.Lock()
	if owner != playlists.Public { // its content is on everybody's signs
		p.urgent[owner] = true
	}
	p.mu.Unlock()
	p.Kick()
}

// Connected says that a connection stands whose broker may hold nothing.
func (p *Publisher) Connected() {
	p.mu.Lock()
	sent := map[string]string{}
	for topic, digest := range p.sent {
		if digest == unknown { // of alerts from before this start, which this broker may still hold
			sent[topic] = digest
		}
	}
	p.sent = sent
	p.mu.Unlock()
	p.KickAlerts()
	p.Kick()
}

// Ready reports whether the broker holds what every sign should have: nothing
// was asked for since the last comparison began.
func (p *Publisher) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.completed == p.requested && p.alertsReady()
}

// Plan is a sign's program, or nil.
func (p *Publisher) Plan(sign string) *Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans[sign]
}

// Problem says why a sign's plan could not be made; nothing when it could. The
// sign keeps its last program.
func (p *Publisher) Problem(sign string) playlists.Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problems[sign]
}

// Programs is how many signs have a program.
func (p *Publisher) Programs() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.plans)
}

// Problems is how many signs' plans cannot be made.
func (p *Publisher) Problems() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.problems)
}

// Frame is a frame file that some plan or alert names, or nil.
func (p *Publisher) Frame(sha string) *playlists.FrameFile {
	p.mu.Lock()
	f := p.bySHA[sha]
	p.mu.Unlock()
	if f == nil {
		f = p.alertFrame(sha)
	}
	return f
}

// Run compares and publishes until ctx ends.
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
			p.o.Log.Log(ctx, limiter.level(err, p.o.Now()), "publishing is behind and is tried again", "err", err)
		}
	}
}

// Reconcile plans every sign, issues what changed, and publishes what the
// broker lacks: frames before the programs that name them. A sign whose plan
// cannot be made keeps its last program and is named in Problem.
func (p *Publisher) Reconcile(ctx context.Context) error {
	p.running.Lock()
	defer p.running.Unlock()
	p.mu.Lock()
	requested, urgent := p.requested, p.urgent
	p.urgent = map[string]bool{}
	p.mu.Unlock()
	signs, err := p.o.Catalogue.Signs(ctx)
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

// inFlight bounds how many messages wait for the broker's word at once.
const inFlight = 16

// wanted is what a topic should retain: by digest, and fetched when it has to
// be sent.
type wanted struct {
	topic, digest string
	payload       func(ctx context.Context) ([]byte, error)
}

// publish sends what this connection's broker has not got from us: frames, then
// the keys, then the programs that name and need them.
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
	for id := range p.problems { // a sign whose plan could never be made has nothing, and is not gone
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

// publishSome is publish for some signs alone. What else is retained is not
// looked at, so nothing is removed.
func (p *Publisher) publishSome(ctx context.Context, signs []playlists.Sign) error {
	var frames, programs []wanted
	asked := map[string]bool{}
	p.mu.Lock()
	for i := range signs {
		plan := p.plans[signs[i].ID]
		if plan == nil || plan.Sign.Picture() {
			continue
		}
		for _, f := range plan.files {
			if topic := wire.FrameTopic(f.Owner, f.SHA256); !asked[topic] {
				asked[topic] = true
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

// send publishes what this connection has not sent yet.
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

// signed is a sign's program as it was signed. Ten thousand of them would fill
// the memory, so they are read where they are kept.
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

// retain publishes what a topic should hold.
func (p *Publisher) retain(ctx context.Context, w wanted) error {
	payload, err := w.payload(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	sent := p.sent // a connection that comes meanwhile begins another
	p.mu.Unlock()
	if err := p.o.Broker.Publish(ctx, w.topic, payload, true); err != nil {
		return fmt.Errorf("publish %s: %w", w.topic, err)
	}
	p.mu.Lock()
	sent[w.topic] = w.digest
	p.mu.Unlock()
	return nil
}
