package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// issueAtOnce bounds how many programs one transaction holds.
const issueAtOnce = 250

// drafted is a sign's new program that waits to be issued.
type drafted struct {
	sign    playlists.Sign
	planned *plan.Planned
	digest  string
}

// content is the catalogue and the artist as a planner asks them.
type content struct {
	ctx context.Context
	o   *Options
}

func (c content) Playlist(owner, id string) (*playlists.Playlist, error) {
	return c.o.Catalogue.Playlist(c.ctx, owner, id)
}

func (c content) Message(owner, id string) (*playlists.Message, error) {
	return c.o.Catalogue.Message(c.ctx, owner, id)
}

func (c content) Artwork(m *playlists.Message, class playlists.Class,
	motion playlists.Motion) (*playlists.Artwork, error) {
	return c.o.Artist.Artwork(c.ctx, m, class, motion)
}

// planning is one turn of planning.
type planRun struct {
	p       *Publisher
	planner *plan.Planner
	key     []byte
	epoch   int64
	now     time.Time
	inDoubt bool // the clock is in doubt: signs keep what they have

	plans    map[string]*Plan
	problems map[string]playlists.Text
	drafts   []drafted // new programs that wait to be issued
	changed  []string  // signs whose programs were issued
}

// plan plans the signs whose rules or content changed or whose program is a
// day old, and issues those programs. The others keep what they have, and its
// seq. Without all, signs are some of them, and the others are not looked at.
func (p *Publisher) plan(ctx context.Context, signs []playlists.Sign, all bool) error {
	run, err := p.newPlanRun(ctx)
	if err != nil {
		return err
	}
	if !all {
		run.keepOthers(signs)
	}
	for i := range signs {
		if err := run.planSign(ctx, &signs[i]); err != nil {
			return err
		}
		if len(run.drafts) == issueAtOnce { // what is signed is kept on disk: memory holds no more of it
			if err := run.issue(ctx); err != nil {
				return err
			}
		}
	}
	if err := run.issue(ctx); err != nil {
		return err
	}
	if len(run.changed) > 0 {
		p.o.Log.Info("programs issued", "signs", len(run.changed))
	}
	if all {
		p.setPlans(run.plans, run.problems)
	} else {
		p.addPlans(run.plans, run.problems, run.changed)
	}
	return nil
}

func (p *Publisher) newPlanRun(ctx context.Context) (*planRun, error) {
	key, epoch, err := p.o.Keys.Signer(wire.RoleProgram)
	if err != nil {
		return nil, err
	}
	book, err := p.o.Catalogue.Rulebook(ctx)
	if err != nil {
		return nil, err
	}
	now := p.o.Now() // before the doubt is asked for: a clock that jumps in between is not believed
	_, inDoubt := p.o.doubt()
	return &planRun{p: p, planner: plan.NewPlanner(content{ctx, &p.o}, book), key: key, epoch: epoch, now: now,
		inDoubt: inDoubt, plans: map[string]*Plan{}, problems: map[string]playlists.Text{}}, nil
}

// keepOthers takes over the plans and problems of all signs but these.
func (run *planRun) keepOthers(signs []playlists.Sign) {
	run.p.mu.Lock()
	maps.Copy(run.plans, run.p.plans)
	maps.Copy(run.problems, run.p.problems)
	run.p.mu.Unlock()
	for i := range signs {
		delete(run.plans, signs[i].ID)
		delete(run.problems, signs[i].ID)
	}
}

// sign plans one sign. A plan that cannot be made is no error: the sign keeps its last.
func (run *planRun) planSign(ctx context.Context, s *playlists.Sign) error {
	digest, err := run.planner.Digest(s)
	if err != nil {
		return run.fail(ctx, s, err)
	}
	limits := run.p.limits(s.ID)
	if limits != (plan.Limits{}) {
		digest = wire.Digest(fmt.Append([]byte(digest), limits))
	}
	old, err := run.p.current(ctx, s)
	if err != nil {
		return err
	}
	if old != nil && (run.inDoubt || run.upToDate(old, digest)) {
		if old = run.refresh(old, s, limits); old.Reasons != nil {
			run.plans[s.ID] = old
			return nil
		}
	}
	if run.inDoubt {
		return run.fail(ctx, s, &playlists.Error{Code: playlists.Conflict, Field: "clock", Key: "clock-holds-program"})
	}
	planned, err := run.planner.Plan(s, run.now.Unix()-wire.Early, run.now.Unix()+wire.LifeProgram, limits)
	if err != nil {
		return run.fail(ctx, s, err)
	}
	run.drafts = append(run.drafts, drafted{*s, planned, digest})
	return nil
}

// holds reports whether a program is what would be planned now, and is less than a day old.
func (run *planRun) upToDate(old *Plan, digest string) bool {
	return old.digest == digest && old.epoch == run.epoch && old.iat*1000 > run.p.o.Restored &&
		run.now.Unix()-old.iat < RenewAfter && run.now.Unix() >= old.iat-wire.Early
}

// refreshed is a plan with the sign as it is now. One that another run of the controller issued gets its reasons: the
// same rules and time give the same ones.
func (run *planRun) refresh(old *Plan, s *playlists.Sign, limits plan.Limits) *Plan {
	n := *old
	if n.Reasons == nil {
		planned, err := run.planner.Plan(s, old.iat-wire.Early, old.iat+wire.LifeProgram, limits)
		if err == nil {
			n.Reasons, n.Titles, n.files = planned.Reasons, planned.Titles, referencedFiles(old.Program, planned.Files)
		}
	} else if reflect.DeepEqual(old.Sign, *s) {
		return old
	}
	n.Sign = *s
	return &n
}

// fail notes why a sign's plan cannot be made.
func (run *planRun) fail(ctx context.Context, s *playlists.Sign, why error) error {
	if ctx.Err() != nil {
		return ctx.Err() // nothing is wrong with the sign
	}
	run.problems[s.ID] = playlists.Text{VI: why.Error(), EN: why.Error()}
	var e *playlists.Error
	if errors.As(why, &e) {
		run.problems[s.ID] = playlists.Text{VI: e.VI(), EN: why.Error()}
	}
	if run.p.Problem(s.ID).EN != why.Error() {
		run.p.o.Log.Warn("a sign's plan cannot be made; it keeps its last", "sign", s.ID, "err", why)
	}
	old, err := run.p.current(ctx, s)
	if old != nil {
		run.plans[s.ID] = old
	}
	return err
}

// issue issues the drafts that wait.
func (run *planRun) issue(ctx context.Context) error {
	if _, inDoubt := run.p.o.doubt(); inDoubt && len(run.drafts) > 0 {
		return errDoubt // it came while programs were planned; they are planned again
	}
	if err := run.p.issue(ctx, run.drafts, run.key, run.epoch, run.now, run.plans); err != nil {
		return err
	}
	for i := range run.drafts {
		run.changed = append(run.changed, run.drafts[i].sign.ID)
	}
	clear(run.drafts)
	run.drafts = run.drafts[:0]
	return nil
}

func (p *Publisher) limits(sign string) plan.Limits {
	if p.o.Limits == nil {
		return plan.Limits{}
	}
	return p.o.Limits(sign)
}

// present is the sign's program in force: what this run of the controller
// issued, or what one before it kept; nil where there is none.
func (p *Publisher) current(ctx context.Context, s *playlists.Sign) (*Plan, error) {
	if old := p.Plan(s.ID); old != nil {
		return old, nil
	}
	last, err := p.o.Ledger.Latest(ctx, wire.RoleProgram, s.ID)
	if err != nil || last == nil {
		return nil, err
	}
	program, err := wire.StoredProgram(last.JWS)
	if err != nil {
		p.o.Log.Warn("a stored program cannot be read and is issued anew", "sign", s.ID, "err", err)
		return nil, nil
	}
	return &Plan{Sign: *s, Program: program, sha: wire.Digest(last.JWS), seq: last.Seq, iat: last.Iat, epoch: last.Epoch,
		digest: last.Digest}, nil
}

// named are those of files that the program names: what the artist draws today
// may differ from what an earlier version of it drew.
func referencedFiles(g *timeline.Program, files []*playlists.FrameFile) []*playlists.FrameFile {
	want := make(map[string]bool, len(g.Frames))
	for i := range g.Frames {
		want[g.Frames[i].SHA256] = true
	}
	var out []*playlists.FrameFile
	for _, f := range files {
		if want[f.SHA256] {
			out = append(out, f)
		}
	}
	return out
}

// take puts new plans in force, with the frames of every program that a sign
// has as retained or as last acked.
func (p *Publisher) setPlans(plans map[string]*Plan, problems map[string]playlists.Text) {
	frames := map[string]*playlists.FrameFile{}
	bySHA := map[string]*playlists.FrameFile{}
	seen := map[*playlists.FrameFile]bool{} // signs with the same rules share their files
	hold := func(files []*playlists.FrameFile) {
		for _, f := range files {
			if !seen[f] {
				seen[f] = true
				frames[wire.FrameTopic(f.Owner, f.SHA256)] = f
				bySHA[f.SHA256] = f
			}
		}
	}
	for id, plan := range plans {
		hold(plan.files)
		if len(plan.replaced) == 0 || plan.Sign.Picture() {
			continue
		}
		// A sign that has acked the present program needs no former one; else
		// it may have any, from the one that it acked last on.
		var acked int64
		if p.o.Acked != nil {
			acked = p.o.Acked(id)
		}
		var kept []replacedProgram
		for _, f := range plan.replaced {
			if p.o.Acked != nil && acked < plan.seq && f.seq >= acked {
				kept = append(kept, f)
				hold(f.files)
			}
		}
		if len(kept) != len(plan.replaced) {
			n := *plan
			n.replaced = kept
			plans[id] = &n
		}
	}
	p.mu.Lock()
	p.plans, p.frames, p.bySHA, p.problems = plans, frames, bySHA, problems
	p.mu.Unlock()
}

// add puts some new plans in force beside the others. Frames that nothing names
// any more are found out when all plans are looked at.
func (p *Publisher) addPlans(plans map[string]*Plan, problems map[string]playlists.Text, changed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range changed {
		for _, f := range plans[id].files {
			p.frames[wire.FrameTopic(f.Owner, f.SHA256)] = f
			p.bySHA[f.SHA256] = f
		}
	}
	p.plans, p.problems = plans, problems
}

// issue signs drafts and keeps them: a seq and its document are durable
// together, with the reasons beside them.
func (p *Publisher) issue(ctx context.Context, drafts []drafted, key []byte, epoch int64, now time.Time,
	plans map[string]*Plan) error {
	if len(drafts) == 0 {
		return nil
	}
	iat := now.Unix()
	toIssue := make([]playlists.Draft, len(drafts))
	type notesKey struct {
		reasons     *plan.Reasons
		owner, zone string
	}
	notes := map[notesKey][]byte{}
	for i, d := range drafts {
		k := notesKey{d.planned.Reasons, d.sign.Owner, d.sign.TimeZone}
		n, ok := notes[k]
		if !ok {
			var err error
			if n, err = json.Marshal(&plan.Notes{Owner: k.owner, Zone: k.zone, Titles: d.planned.Titles,
				Reasons: k.reasons}); err != nil {
				return err
			}
			notes[k] = n
		}
		toIssue[i] = playlists.Draft{Role: wire.RoleProgram, Subject: d.sign.ID, Epoch: epoch, IatMS: now.UnixMilli(),
			Exp: iat + wire.LifeProgram, Digest: d.digest, Notes: n, Keep: true}
	}
	issued, err := p.o.Ledger.Issue(ctx, toIssue, func(i int, seq int64) ([]byte, error) {
		g := drafts[i].planned.Program
		g.Header = wire.NewHeader(wire.RoleProgram, epoch, seq, iat, wire.LifeProgram)
		return wire.Seal(key, wire.TypProgram, g)
	})
	if err != nil {
		return fmt.Errorf("issue programs: %w", err)
	}
	for i, d := range drafts {
		n := &Plan{Sign: d.sign, Program: d.planned.Program, sha: wire.Digest(issued[i].JWS), Titles: d.planned.Titles,
			Reasons: d.planned.Reasons,
			seq:     issued[i].Seq, iat: iat, epoch: epoch, digest: d.digest, files: d.planned.Files}
		if old := p.Plan(d.sign.ID); old != nil {
			n.replaced = append(append(n.replaced, old.replaced...), replacedProgram{old.seq, old.files})
			n.replaced = n.replaced[max(0, len(n.replaced)-maxReplaced):]
		}
		plans[d.sign.ID] = n
	}
	for i, d := range drafts {
		p.o.Log.Debug("program issued", "sign", d.sign.ID, "seq", issued[i].Seq, "items", len(d.planned.Program.Items),
			"bytes", len(issued[i].JWS))
	}
	return nil
}

// maxReplaced bounds how many replaced programs of a silent sign are remembered:
// a week of renewals. A program that old has ended.
const maxReplaced = 9

// Forecast plans a sign for another time than now, by today's rules: what it would
// show from `from` until `until` (Unix seconds).
func (p *Publisher) Forecast(ctx context.Context, s *playlists.Sign, from, until int64) (*plan.Planned, error) {
	book, err := p.o.Catalogue.Rulebook(ctx)
	if err != nil {
		return nil, err
	}
	planned, err := plan.NewPlanner(content{ctx, &p.o}, book).Plan(s, from, until, p.limits(s.ID))
	if err != nil {
		return nil, err
	}
	planned.Program.Exp = until
	planned.Program.Prepare()
	return planned, nil
}
