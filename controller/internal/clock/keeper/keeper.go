// Package keeper looks at the controller's clock for package clock: at the rows that it wrote, at what signs say, at
// NTP, and at what a person has confirmed.
package keeper

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/clock"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/records"
	"ledcast/playlists"
	"ledcast/sign/wire"
)

const (
	// clockEvery is how often the clock is looked at, also where nothing is issued.
	clockEvery = time.Second
	// logEvery is how often the newest entry of the log is read.
	logEvery = 10 * time.Second
	// firstLook is how many entries of the log a start reads: the last ones may have been written by a wrong clock.
	firstLook = 500
	// logEnd is behind every entry.
	logEnd = 1 << 53
	// kindClock is the record of which rows are no witnesses of the clock.
	kindClock = "clock"
)

// Keeper says whether the controller may believe its clock.
type Keeper struct {
	now     func() time.Time
	held    func() bool // by NTP
	log     *slog.Logger
	store   store.Store
	began   time.Time
	changed chan struct{} // of capacity 1: what is held back has changed

	mu    sync.Mutex
	judge *clock.Judge
	mark  clock.Mark
	docMS int64 // of the latest document, marked ones included
	last  clock.State
}

// Options are what a Keeper looks at.
type Options struct {
	Store store.Store
	Now   func() time.Time
	Held  func() bool // by NTP
	Log   *slog.Logger
	Signs int // how many signs may say what time it is
}

// Open reads what the controller wrote before. Call it ahead of whatever this start writes.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	k := &Keeper{now: o.Now, held: o.Held, log: o.Log, store: o.Store, began: time.Now(), changed: make(chan struct{}, 1)}
	data, err := records.Records{Store: k.store}.Get(ctx, kindClock, "mark")
	if err == nil {
		err = json.Unmarshal(data, &k.mark)
	}
	if err != nil && !playlists.IsNotFound(err) {
		return nil, err
	}
	newest, err := k.newest(ctx)
	if err != nil {
		return nil, err
	}
	k.judge = clock.New(k.moment(), newest, o.Signs)
	return k, nil
}

// newest is the time of the newest row that is a witness, Unix ms; 0 where there is none.
func (k *Keeper) newest(ctx context.Context) (newest int64, err error) {
	document := func(iat int64) {
		k.docMS = max(k.docMS, iat*1000)
		if k.mark.Document(iat * 1000) {
			newest = max(newest, iat*1000)
		}
	}
	for _, role := range []string{wire.RoleProgram, wire.RoleAlerts, wire.RoleAlertsTest} {
		heads, err := k.store.Documents().Heads(ctx, role)
		if err != nil {
			return 0, err
		}
		for i := range heads {
			document(heads[i].Iat)
		}
	}
	set, err := k.store.Keys().Set(ctx)
	switch {
	case err == nil:
		if read, err := wire.StoredKeys(set.JWS); err == nil { // the keyring says what is wrong with another
			document(read.Iat)
		}
	case !playlists.IsNotFound(err):
		return 0, err
	}
	entries, err := k.store.Audit().Newest(ctx, store.AllOwners, logEnd, firstLook)
	for i := range entries {
		if k.mark.Logged(entries[i].N, entries[i].By.AtMS) {
			newest = max(newest, entries[i].By.AtMS)
		}
	}
	return newest, err
}

// moment reads the clocks at once: where the process was held up in between, it reads them again.
func (k *Keeper) moment() clock.Moment {
	for {
		before := time.Since(k.began)
		m := clock.Moment{Wall: k.now().UnixMilli(), Held: k.held()}
		if m.Mono = time.Since(k.began); m.Mono-before < time.Second {
			return m
		}
	}
}

// Look is what is thought of the clock now. Whoever read the clock before may believe that reading if it is certain.
func (k *Keeper) Look() clock.State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.look()
}

// look is Look; k.mu is held.
func (k *Keeper) look() clock.State {
	s := k.judge.Look(k.moment())
	switch was := k.last.Doubt(); {
	case s.Doubt() && !was:
		k.log.Warn("the clock is in doubt: nothing new is issued but cancels; set it right, or say `controller clock accept`",
			"why", s.Words().EN)
	case was && !s.Doubt():
		k.log.Info("the clock is in doubt no more")
	}
	if s.Held() != k.last.Held() {
		select {
		case k.changed <- struct{}{}:
		default:
		}
	}
	k.last = s
	return s
}

// Guess is for package publish.
func (k *Keeper) Guess() (guess time.Time, doubted bool) {
	s := k.Look()
	return time.UnixMilli(s.GuessMS), s.Held()
}

// Unsure reports whether nothing new may be issued.
func (k *Keeper) Unsure() bool { return k.Look().Held() }

// Heard takes what a sign's clock says.
func (k *Keeper) Heard(sign string, atMS int64, trusted bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.judge.Heard(k.moment(), sign, atMS, trusted)
}

// Wrote takes the time of a document that was issued. One by a clock in doubt is no witness.
func (k *Keeper) Wrote(atMS int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.docMS = max(k.docMS, atMS)
	if !k.look().Held() {
		k.judge.Wrote(atMS)
	}
}

// State implements api.Clock.
func (k *Keeper) State() api.ClockState {
	s := k.Look()
	out := api.ClockState{AtMS: k.now().UnixMilli(), InDoubt: s.Doubt(), Waits: s.Held() && !s.Doubt(),
		Confirmed: s.Confirmed}
	if s.Held() {
		words := s.Words()
		out.Why = &words
	}
	return out
}

// Accept implements api.Clock. Where nothing is held there is nothing to stand for.
func (k *Keeper) Accept(ctx context.Context, who *playlists.Principal) (api.ClockState, error) {
	if !k.Unsure() {
		return k.State(), nil
	}
	if err := k.SetMark(ctx, who); err != nil {
		return api.ClockState{}, err
	}
	k.mu.Lock()
	k.judge.Accept(k.moment())
	k.look()
	k.mu.Unlock()
	k.log.Info("somebody stands for the clock", "who", who.ID)
	return k.State(), nil
}

// SetMark writes that rows later than now are no witnesses. who is nil where NTP or signs stand for the clock.
func (k *Keeper) SetMark(ctx context.Context, who *playlists.Principal) error {
	entries, err := k.store.Audit().Newest(ctx, store.AllOwners, logEnd, 1)
	if err != nil {
		return err
	}
	k.mu.Lock()
	m := clock.Mark{AtMS: k.moment().Wall, UntilMS: max(k.mark.UntilMS, k.docMS)}
	k.mu.Unlock()
	for i := range entries {
		m.Entry = entries[i].N
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := (records.Records{Store: k.store, Now: k.now}).Put(ctx, who, kindClock, playlists.Public, "mark",
		data); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mark = m
	k.judge.Forget(m.AtMS)
	return nil
}

// ReadLog takes the time of the log's newest entry. One by a clock in doubt is no witness.
func (k *Keeper) ReadLog(ctx context.Context) {
	entries, err := k.store.Audit().Newest(ctx, store.AllOwners, logEnd, 1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil || k.look().Held() {
		return // a store in trouble says so elsewhere
	}
	for i := range entries {
		if k.mark.Logged(entries[i].N, entries[i].By.AtMS) {
			k.judge.Wrote(entries[i].By.AtMS)
		}
	}
}

// Run looks at the clock each second until ctx ends. It calls settled when what was held back may go on.
func (k *Keeper) Run(ctx context.Context, settled func(context.Context)) {
	t := time.NewTicker(clockEvery)
	defer t.Stop()
	var read time.Time
	for {
		s := k.Look()
		if time.Since(read) >= logEvery {
			read = time.Now()
			k.ReadLog(ctx)
		}
		k.mu.Lock()
		later := s.Confirmed && k.judge.Newest()-k.moment().Wall > clock.Behind.Milliseconds()
		k.mu.Unlock()
		if later {
			if err := k.SetMark(ctx, nil); err != nil && ctx.Err() == nil {
				k.log.Warn("rows that a wrong clock wrote could not be marked; it is tried again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-k.changed:
			if !k.Unsure() {
				settled(ctx)
			}
		}
	}
}
