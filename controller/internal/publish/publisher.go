package publish

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ledcast/playlists"
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
	// Restored is when the database was restored from a backup, Unix
	// milliseconds; 0 if it never was. What was issued before is issued anew:
	// signs may have seen later documents, which the backup knows nothing of.
	Restored int64
	// Changed, if given, is called after a sign got a program.
	Changed func(sign string)
	// Alerts, if given, is what RunAlerts publishes.
	Alerts Alerts
	// Expect, if given, is told of all that a sign should ack; see Resync.
	Expect func(sign, what string, seq int64)
	// Acked, if given, is the seq of the program that the sign has acked last;
	// 0 where that is unknown. Its frames stay published until it is another.
	Acked func(sign string) int64
	// Limits, if given, are those that the sign has declared.
	Limits func(sign string) playlists.Limits
}

// Plan is a sign's program as it was issued last.
type Plan struct {
	Sign    playlists.Sign
	Program *timeline.Program
	JWS     []byte
	Titles  map[string]string // what people call each item, by owner/id
	Reasons *playlists.Reasons

	seq    int64
	iat    int64
	epoch  int64
	digest string
	files  []*playlists.FrameFile // what Program names
	before []former               // programs that the sign may still have
}

// former is a program that was replaced before the sign acked its successor.
type former struct {
	seq   int64
	files []*playlists.FrameFile
}

// Publisher makes wanted and retained agree. Run does the work.
type Publisher struct {
	o    Options
	kick chan struct{}

	mu       sync.Mutex
	plans    map[string]*Plan                // by sign
	frames   map[string]*playlists.FrameFile // by topic; those of plans and their formers
	bySHA    map[string]*playlists.FrameFile // the same by digest
	problems map[string]string               // sign → why its plan cannot be made
	have     map[string]string               // topic → digest of what this connection was sent
	unnamed  map[string]time.Time            // frame topic → since when nothing names it
	asked    int64                           // how often a comparison was asked for
	done     int64                           // what asked was when the last successful one began
	pictures map[string]*picture

	board *alertBoard
}

// New makes a publisher; nothing happens before Run.
func New(o Options) *Publisher {
	return &Publisher{o: o, kick: make(chan struct{}, 1), plans: map[string]*Plan{}, frames: map[string]*playlists.FrameFile{},
		problems: map[string]string{}, have: map[string]string{}, unnamed: map[string]time.Time{}, pictures: map[string]*picture{}, asked: 1, board: newAlertBoard()}
}

// Kick asks for a comparison soon. It never blocks.
func (p *Publisher) Kick() {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// Connected says that a connection stands whose broker may hold nothing.
func (p *Publisher) Connected() {
	p.mu.Lock()
	have := map[string]string{}
	for topic, digest := range p.have {
		if digest == unknown { // of alerts from before this start, which this broker may still hold
			have[topic] = digest
		}
	}
	p.have = have
	p.mu.Unlock()
	p.KickAlerts()
	p.Kick()
}

// Ready reports whether the broker holds what every sign should have: nothing
// was asked for since the last comparison began.
func (p *Publisher) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done == p.asked && p.alertsReady()
}

// Plan is a sign's program, or nil.
func (p *Publisher) Plan(sign string) *Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans[sign]
}

// Problem says why a sign's plan could not be made; "" when it could. The sign
// keeps its last program.
func (p *Publisher) Problem(sign string) string {
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
	for {
		select { // the first connection kicks
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-t.C:
		}
		if err := p.Reconcile(ctx); err != nil && ctx.Err() == nil {
			p.o.Log.Warn("publishing is behind and is tried again", "err", err)
		}
	}
}

// Reconcile plans every sign, issues what changed, and publishes what the
// broker lacks: frames before the programs that name them. A sign whose plan
// cannot be made keeps its last program and is named in Problem.
func (p *Publisher) Reconcile(ctx context.Context) error {
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock()
	signs, err := p.o.Catalogue.Signs(ctx)
	if err != nil {
		return err
	}
	p.knowSigns(signs)
	if err := p.plan(ctx, signs); err != nil {
		return err
	}
	if err := p.publish(ctx); err != nil {
		return err
	}
	p.expectPrograms()
	p.runPictures(ctx)
	p.mu.Lock()
	p.done = asked
	p.mu.Unlock()
	return nil
}

// publish sends what this connection's broker has not got from us.
func (p *Publisher) publish(ctx context.Context) error {
	type wanted struct {
		topic   string
		payload []byte
	}
	var order []wanted
	named := map[string]bool{}
	p.mu.Lock()
	for topic, f := range p.frames {
		named[topic] = true
		order = append(order, wanted{topic, f.Data})
	}
	order = append(order, wanted{wire.TopicKeys, p.o.Keys.KeySet()})
	for id, plan := range p.plans {
		if !plan.Sign.Picture() {
			order = append(order, wanted{wire.SignTopic(id, wire.Program), plan.JWS})
		}
	}
	p.mu.Unlock()
	for _, w := range order {
		if err := p.retain(ctx, w.topic, w.payload); err != nil {
			return err
		}
	}
	return p.clean(ctx, named)
}

// retain publishes unless this connection has sent the same already.
func (p *Publisher) retain(ctx context.Context, topic string, payload []byte) error {
	digest := wire.Digest(payload)
	p.mu.Lock()
	have := p.have // a connection that comes meanwhile begins another
	same := have[topic] == digest
	p.mu.Unlock()
	if same {
		return nil
	}
	if err := p.o.Broker.Publish(ctx, topic, payload, true); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	p.mu.Lock()
	have[topic] = digest
	p.mu.Unlock()
	return nil
}

// clean removes frames that no plan has named for a day.
func (p *Publisher) clean(ctx context.Context, named map[string]bool) error {
	now := p.o.Now()
	var gone []string
	p.mu.Lock()
	for topic := range p.have {
		if !isFrame(topic) || named[topic] {
			delete(p.unnamed, topic)
			continue
		}
		if since, ok := p.unnamed[topic]; !ok {
			p.unnamed[topic] = now
		} else if now.Sub(since) >= FrameGrace {
			gone = append(gone, topic)
		}
	}
	p.mu.Unlock()
	for _, topic := range gone {
		if err := p.o.Broker.Publish(ctx, topic, nil, true); err != nil {
			return err
		}
		p.mu.Lock()
		delete(p.have, topic)
		delete(p.unnamed, topic)
		p.mu.Unlock()
	}
	return nil
}

func isFrame(topic string) bool {
	const prefix = wire.Prefix + "frames/"
	return len(topic) > len(prefix) && topic[:len(prefix)] == prefix
}
