package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
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
	// Changed, if given, is called after a sign got a program.
	Changed func(sign string)
	// Alerts, if given, is what RunAlerts publishes.
	Alerts Alerts
	// Expect, if given, is told of all that a sign should ack; see Resync.
	Expect func(sign, what string, seq int64)
}

// Plan is a sign's program as it was issued last.
type Plan struct {
	Sign    playlists.Sign
	Program *timeline.Program
	JWS     []byte
	Titles  map[string]string // what people call each item, by owner/id
}

// Publisher makes wanted and retained agree. Run does the work.
type Publisher struct {
	o    Options
	kick chan struct{}

	mu       sync.Mutex
	plans    map[string]*Plan                // by sign
	frames   map[string]*playlists.FrameFile // by digest; those of plans
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

// Frame is a frame file that some plan or alert names, or nil.
func (p *Publisher) Frame(sha string) *playlists.FrameFile {
	p.mu.Lock()
	f := p.frames[sha]
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

// drafted is a sign's new program that waits to be issued.
type drafted struct {
	sign    playlists.Sign
	program *timeline.Program
	digest  string
	titles  map[string]string
}

func (p *Publisher) plan(ctx context.Context, signs []playlists.Sign) error {
	now := p.o.Now()
	key, epoch, err := p.o.Keys.Signer(wire.RoleProgram)
	if err != nil {
		return err
	}
	var drafts []drafted
	plans := map[string]*Plan{}
	frames := map[string]*playlists.FrameFile{}
	problems := map[string]string{}
	for _, s := range signs {
		d, files, err := p.draft(ctx, s, now)
		for i := range files {
			frames[files[i].SHA256] = &files[i]
		}
		if err != nil {
			problems[s.ID] = err.Error()
			p.o.Log.Warn("a sign's plan cannot be made; it keeps its last", "sign", s.ID, "err", err)
			if old := p.Plan(s.ID); old != nil {
				plans[s.ID] = old
				p.keepFrames(old.Program, frames)
			}
			continue
		}
		last, err := p.o.Ledger.Latest(ctx, wire.RoleProgram, s.ID)
		if err != nil {
			return err
		}
		if last != nil && last.Digest == d.digest && last.Epoch == epoch && now.Unix()-last.Iat < RenewAfter && now.Unix() >= last.Iat-wire.Early {
			program, err := wire.StoredProgram(last.JWS)
			if err == nil {
				plans[s.ID] = p.same(&Plan{Sign: s, Program: program, JWS: last.JWS, Titles: d.titles})
				continue
			}
			p.o.Log.Warn("a stored program cannot be read and is issued anew", "sign", s.ID, "err", err)
		}
		drafts = append(drafts, *d)
	}
	if len(drafts) > 0 {
		if err := p.issue(ctx, drafts, key, epoch, now, plans); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.plans, p.frames, p.problems = plans, frames, problems
	p.mu.Unlock()
	if p.o.Changed != nil {
		for _, d := range drafts {
			p.o.Changed(d.sign.ID)
		}
	}
	return nil
}

// same is the plan that is in force already if it equals n: what plays it goes
// on undisturbed.
func (p *Publisher) same(n *Plan) *Plan {
	old := p.Plan(n.Sign.ID)
	if old != nil && bytes.Equal(old.JWS, n.JWS) && reflect.DeepEqual(old.Sign, n.Sign) {
		return old
	}
	return n
}

// keepFrames carries the frames of a program that stays over to the new set.
func (p *Publisher) keepFrames(g *timeline.Program, frames map[string]*playlists.FrameFile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range g.Frames {
		if f := p.frames[g.Frames[i].SHA256]; f != nil {
			frames[f.SHA256] = f
		}
	}
}

// draft plans one sign. Its files are the frames that the plan names.
func (p *Publisher) draft(ctx context.Context, s playlists.Sign, now time.Time) (*drafted, []playlists.FrameFile, error) {
	list, err := p.playlist(ctx, &s)
	if err != nil {
		return nil, nil, err
	}
	var files []playlists.FrameFile
	var items []playlists.Placed
	titles := map[string]string{}
	for _, it := range list.Items {
		owner, id := playlists.SplitRef(list.Owner, it.Message)
		m, err := p.o.Catalogue.Message(ctx, owner, id)
		if err != nil {
			return nil, files, err
		}
		art, err := p.o.Artist.Artwork(ctx, m, s.Class, s.Picture())
		if err != nil {
			return nil, files, err
		}
		for _, f := range art.Frames {
			f.Owner = m.Owner
			files = append(files, f)
		}
		titles[m.Owner+"/"+m.ID] = m.Title()
		items = append(items, playlists.Placed{Message: m, DwellMS: it.DwellMS, Art: art})
	}
	iat := now.Unix()
	program, err := playlists.Plan(&s, items, iat-wire.Early, iat+wire.LifeProgram)
	if err != nil {
		return nil, files, err
	}
	digest, err := contentDigest(program)
	return &drafted{sign: s, program: program, digest: digest, titles: titles}, files, err
}

func (p *Publisher) playlist(ctx context.Context, s *playlists.Sign) (*playlists.Playlist, error) {
	ref := s.Playlist
	if ref == "" {
		ref = playlists.Public + "/default"
	}
	owner, id := playlists.SplitRef(s.Owner, ref)
	return p.o.Catalogue.Playlist(ctx, owner, id)
}

// contentDigest is of everything but times: a plan of the same content made
// later is not another plan.
func contentDigest(g *timeline.Program) (string, error) {
	c := *g
	c.Segments = append([]timeline.Segment(nil), g.Segments...)
	for i := range c.Segments {
		c.Segments[i].From, c.Segments[i].Until = 0, 0
	}
	// The sun rises at another time each day; that alone is renewed daily.
	c.Brightness = append([]timeline.Brightness(nil), g.Brightness...)
	for i := range c.Brightness {
		c.Brightness[i].From, c.Brightness[i].Until = 0, 0
	}
	data, err := json.Marshal(&c)
	return wire.Digest(data), err
}

func (p *Publisher) issue(ctx context.Context, drafts []drafted, key []byte, epoch int64, now time.Time, plans map[string]*Plan) error {
	iat := now.Unix()
	asked := make([]Draft, len(drafts))
	for i, d := range drafts {
		asked[i] = Draft{Role: wire.RoleProgram, Subject: d.sign.ID, Epoch: epoch, IatMS: now.UnixMilli(), Exp: iat + wire.LifeProgram, Digest: d.digest}
	}
	issued, err := p.o.Ledger.Issue(ctx, asked, func(i int, seq int64) ([]byte, error) {
		drafts[i].program.Header = wire.NewHeader(wire.RoleProgram, epoch, seq, iat, wire.LifeProgram)
		return wire.Seal(key, wire.TypProgram, drafts[i].program)
	})
	if err != nil {
		return fmt.Errorf("issue programs: %w", err)
	}
	for i, d := range drafts {
		d.program.Prepare()
		plans[d.sign.ID] = &Plan{Sign: d.sign, Program: d.program, JWS: issued[i].JWS, Titles: d.titles}
		p.o.Log.Info("program issued", "sign", d.sign.ID, "seq", issued[i].Seq, "items", len(d.program.Items), "bytes", len(issued[i].JWS))
	}
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
	for _, f := range p.frames {
		topic := wire.FrameTopic(f.Owner, f.SHA256)
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
