package catalogue

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Writer writes what admission lets in. Every write is audited, all or nothing.
type Writer struct {
	reader  *Reader
	store   Store
	checker *admission.Checker
	now     func() time.Time
	changed func(ctx context.Context, c Changed)

	mu     sync.Mutex   // one write at a time
	writes atomic.Int64 // how many there were
}

// Store is what a Writer needs of a store.
type Store interface {
	Objects() store.Objects
	Audit() store.Audit
}

// Changed is a change that was written.
type Changed struct {
	By       *playlists.Principal
	Key      playlists.Key
	Of       string // the owner that the thing belongs to
	Old, New playlists.Thing
}

// NewWriter makes one. changed is called after each write, one at a time.
func NewWriter(r *Reader, s Store, c *admission.Checker, now func() time.Time,
	changed func(context.Context, Changed)) *Writer {
	return &Writer{reader: r, store: s, checker: c, now: now, changed: changed}
}

// Get is a thing as it is kept; NotFound where there is none.
func (w *Writer) Get(ctx context.Context, k playlists.Key) (playlists.Stored, error) {
	o, err := w.store.Objects().Get(ctx, string(k.Kind), k.Owner, k.ID)
	return playlists.Stored{Key: k, Data: o.Data, Version: o.Version}, err
}

// List lists the things of a kind and an owner, or of store.AllOwners, sorted by
// owner, then id.
func (w *Writer) List(ctx context.Context, kind playlists.Kind, owner string) ([]playlists.Stored, error) {
	objects, err := w.store.Objects().List(ctx, string(kind), owner)
	out := make([]playlists.Stored, len(objects))
	for i, o := range objects {
		out[i] = playlists.Stored{Key: playlists.Key{Kind: kind, Owner: o.Owner, ID: o.ID}, Data: o.Data, Version: o.Version}
	}
	return out, err
}

// Put writes a thing under an expected version. A part of it may have to wait
// for the department; Written has what was written.
func (w *Writer) Put(ctx context.Context, who *playlists.Principal, t playlists.Thing, expected int64,
	waive *admission.Waive) (playlists.Written, error) {
	return w.put(ctx, who, admission.Change{Key: t.Key(), Thing: t, Waive: waive}, expected, false)
}

// Update writes a sign, whatever its version is.
func (w *Writer) Update(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error {
	_, err := w.put(ctx, who, admission.Change{Key: sign.Key(), Thing: sign}, store.AnyVersion, false)
	return err
}

// Settle writes a sign with its waiting change applied, which waits no more.
func (w *Writer) Settle(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error {
	_, err := w.put(ctx, who, admission.Change{Key: sign.Key(), Thing: sign}, store.AnyVersion, true)
	return err
}

func (w *Writer) put(ctx context.Context, who *playlists.Principal, ch admission.Change, expected int64,
	settles bool) (out playlists.Written, err error) {
	key := ch.Key
	err = w.write(ctx, who, ch, func(d admission.Decision, old playlists.Thing) error {
		first, err := w.change(who, string(key.Kind), key.Owner, key.ID, d.Of, d.Thing, expected)
		if err != nil {
			return err
		}
		with, err := w.beside(who, key, d, settles)
		if err != nil {
			return err
		}
		if out.Version, err = w.store.Audit().Change(ctx, first, with...); err != nil {
			return err
		}
		out.Thing, out.Waits = d.Thing, d.Pending != nil
		if sign, ok := d.Thing.(*playlists.Sign); ok && old == nil && sign.Alerts == playlists.AlertsWaiting {
			out.Waits = true
		}
		w.changed(ctx, Changed{By: who, Key: key, Of: d.Of, Old: old, New: d.Thing})
		return nil
	})
	return out, err
}

// beside are the records that are written with a thing: a waiver, and the part
// of a sign's change that waits, or waits no more.
func (w *Writer) beside(who *playlists.Principal, key playlists.Key, d admission.Decision,
	settles bool) (with []store.Change, err error) {
	if d.Waiver != nil {
		c, err := w.change(who, kindWaiver, d.Of, string(key.Kind)+"."+key.ID, d.Of, d.Waiver, store.AnyVersion)
		if err != nil {
			return nil, err
		}
		with = append(with, c)
	}
	switch {
	case d.Pending != nil:
		c, err := w.change(who, kindPending, "", key.ID, d.Of, d.Pending, store.AnyVersion)
		if err != nil {
			return nil, err
		}
		with = append(with, c)
	case d.Settles || settles:
		with = append(with, w.removal(who, kindPending, "", key.ID, d.Of, store.AnyVersion))
	}
	return with, nil
}

// Delete removes a thing that nothing names any more.
func (w *Writer) Delete(ctx context.Context, who *playlists.Principal, key playlists.Key, expected int64) error {
	return w.write(ctx, who, admission.Change{Key: key}, func(d admission.Decision, old playlists.Thing) error {
		if _, err := w.store.Audit().Change(ctx, w.removal(who, string(key.Kind), key.Owner,
			key.ID, d.Of, expected)); err != nil {
			return err
		}
		w.changed(ctx, Changed{By: who, Key: key, Of: d.Of, Old: old})
		return nil
	})
}

// DropPending removes the waiting change of a sign.
func (w *Writer) DropPending(ctx context.Context, who *playlists.Principal, sign *playlists.Sign) error {
	_, err := w.store.Audit().Change(ctx, w.removal(who, kindPending, "", sign.ID, sign.Owner, store.AnyVersion))
	return err
}

// write decides and writes as if nobody else wrote meanwhile. Deciding may take
// a while, as drawing does. It is repeated where somebody wrote in between.
func (w *Writer) write(ctx context.Context, who *playlists.Principal, ch admission.Change,
	do func(admission.Decision, playlists.Thing) error) error {
	seen := w.writes.Load()
	d, old, err := w.decide(ctx, who, ch)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writes.Load() != seen {
		if d, old, err = w.decide(ctx, who, ch); err != nil {
			return err
		}
	}
	if err := do(d, old); err != nil {
		return err
	}
	w.writes.Add(1)
	return nil
}

func (w *Writer) decide(ctx context.Context, who *playlists.Principal, ch admission.Change) (d admission.Decision,
	old playlists.Thing, err error) {
	s, err := w.reader.Snapshot(ctx)
	if err != nil {
		return d, nil, err
	}
	if old = s.Get(ch.Key); old == nil && ch.Key.Kind == playlists.KindSign {
		if ch.Used, err = w.store.Objects().Used(ctx, string(ch.Key.Kind), ch.Key.Owner, ch.Key.ID); err != nil {
			return d, nil, err
		}
	}
	d, err = w.checker.Check(ctx, s, who, ch, w.now())
	return d, old, err
}

func (w *Writer) change(who *playlists.Principal, kind, owner, id, of string, v any,
	expected int64) (store.Change, error) {
	data, err := json.Marshal(v)
	return store.Change{Expected: expected, By: who.Actor(w.now().UnixMilli()), Of: of,
		Object: store.Object{Kind: kind, Owner: owner, ID: id, Data: data, UpdatedMS: w.now().UnixMilli()}}, err
}

func (w *Writer) removal(who *playlists.Principal, kind, owner, id, of string, expected int64) store.Change {
	return store.Change{Expected: expected, Remove: true, By: who.Actor(w.now().UnixMilli()), Of: of,
		Object: store.Object{Kind: kind, Owner: owner, ID: id}}
}
