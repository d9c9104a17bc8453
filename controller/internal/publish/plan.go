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

// issueAtOnce is the largest number of programs in one transaction.
const issueAtOnce = 250

// drafted is a sign's new program that is not issued yet.
type drafted struct {
	sign    playlists.Sign
	planned *plan.Planned
	digest  string
}

// content adapts the catalogue and the artist to plan.Content.
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

// planRun is one run of planning.
type planRun struct {
	p       *Publisher
	planner *plan.Planner
	key     []byte
	epoch   int64
	now     time.Time
	inDoubt bool // the clock is in doubt: signs keep their programs

	plans    map[string]*Plan
	problems map[string]playlists.Text
	drafts   []drafted // new programs that are not issued yet
	changed  []string  // signs whose programs were issued
}

// plan plans the signs whose rules or content changed or whose program is a day
// old, and issues those programs. The other signs keep their program and seq. If
// all is false, signs is a subset and plan leaves all other signs alone.
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
		if len(run.drafts) == issueAtOnce { // signed programs are on disk and need not stay in memory
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
	now := p.o.Now() // read before doubt, which then notices a clock that jumps in between
	_, inDoubt := p.o.doubt()
	return &planRun{p: p, planner: plan.NewPlanner(content{ctx, &p.o}, book), key: key, epoch: epoch, now: now,
		inDoubt: inDoubt, plans: map[string]*Plan{}, problems: map[string]playlists.Text{}}, nil
}

// keepOthers copies the plans and problems of all signs but these.
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

// planSign plans one sign. A failed plan is not an error: the sign keeps its last one.
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

// upToDate reports whether planning now would give the same program and the program is less than a day old.
func (run *planRun) upToDate(old *Plan, digest string) bool {
	return old.digest == digest && old.epoch == run.epoch && old.iat*1000 > run.p.o.Restored &&
		run.now.Unix()-old.iat < RenewAfter && run.now.Unix() >= old.iat-wire.Early
}

// refresh returns a plan with the current sign. If an earlier run of the controller issued the plan, refresh
// recomputes its reasons, which the same rules and time determine.
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

// fail records why planning a sign failed.
func (run *planRun) fail(ctx context.Context, s *playlists.Sign, why error) error {
	if ctx.Err() != nil {
		return ctx.Err() // not the sign's fault
	}
	run.problems[s.ID] = playlists.Text{VI: why.Error(), EN: why.Error()}
	var e *playlists.Error
	if errors.As(why, &e) {
		run.problems[s.ID] = playlists.Text{VI: e.VI(), EN: why.Error()}
	}
	if run.p.Problem(s.ID).EN != why.Error() {
		run.p.o.Log.Warn("planning a sign failed; it keeps its last program", "sign", s.ID, "err", why)
	}
	old, err := run.p.current(ctx, s)
	if old != nil {
		run.plans[s.ID] = old
	}
	return err
}

// issue issues the drafts.
func (run *planRun) issue(ctx context.Context) error {
	if _, inDoubt := run.p.o.doubt(); inDoubt && len(run.drafts) > 0 {
		return errDoubt // doubt began while programs were planned; the next run plans them again
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

// current returns the sign's program in force, which this or an earlier run of
// the controller issued; nil if there is none.
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
		p.o.Log.Warn("cannot read a stored program; issuing a new one", "sign", s.ID, "err", err)
		return nil, nil
	}
	return &Plan{Sign: *s, Program: program, sha: wire.Digest(last.JWS), seq: last.Seq, iat: last.Iat, epoch: last.Epoch,
		digest: last.Digest}, nil
}

// referencedFiles returns the files that the program references. The others were
// drawn differently by an earlier version of the artist.
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

// setPlans replaces all plans. It keeps the frames of every program that is
// retained for a sign or that the sign acked last.
func (p *Publisher) setPlans(plans map[string]*Plan, problems map[string]playlists.Text) {
	frames := map[string]*playlists.FrameFile{}
	bySHA := map[string]*playlists.FrameFile{}
	now := p.o.Now()
	seen := map[*playlists.FrameFile]bool{} // signs with the same rules share their files
	keep := func(files []*playlists.FrameFile) {
		for _, f := range files {
			if !seen[f] {
				seen[f] = true
				frames[wire.FrameTopic(f.Owner, f.SHA256)] = f
				bySHA[f.SHA256] = f
			}
		}
	}
	for id, plan := range plans {
		keep(plan.files)
		if len(plan.replaced) == 0 {
			continue
		}
		// A sign that acked the current program needs no replaced one. Any other
		// sign may have a program from the last acked one on.
		var acked int64
		if p.o.Acked != nil {
			acked = p.o.Acked(id)
		}
		var kept []replacedProgram
		for _, f := range plan.replaced {
			waits := p.o.Acked != nil && acked < plan.seq && f.seq >= acked && !plan.Sign.Picture()
			if waits || now.Before(f.until) {
				kept = append(kept, f)
				keep(f.files)
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

// addPlans adds the changed plans. It removes no frames; setPlans does.
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

// issue signs drafts and stores them atomically with their seqs and reasons.
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
			n.replaced = append(append(n.replaced, old.replaced...),
				replacedProgram{old.seq, now.Add(pageGrace), old.files})
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

// maxReplaced is how many replaced programs are remembered for a sign that does
// not ack: a week of renewals. Older programs have expired.
const maxReplaced = 9

// Forecast plans what a sign would show between from and until (Unix seconds) by
// today's rules.
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
