package app

import (
	"context"
	"encoding/json"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// objects is the store as the API writes it: what cannot be shown where it is
// meant for is refused at the door, and every write is audited.
type objects struct{ a *App }

func (o objects) Get(ctx context.Context, kind playlists.Kind, owner, id string) (api.Stored, error) {
	x, err := o.a.store.Objects().Get(ctx, string(kind), owner, id)
	return api.Stored{Owner: x.Owner, ID: x.ID, Data: x.Data, Version: x.Version}, err
}

func (o objects) List(ctx context.Context, kind playlists.Kind, owner string) ([]api.Stored, error) {
	list, err := o.a.store.Objects().List(ctx, string(kind), owner)
	out := make([]api.Stored, len(list))
	for i, x := range list {
		out[i] = api.Stored{Owner: x.Owner, ID: x.ID, Data: x.Data, Version: x.Version}
	}
	return out, err
}

// decision is what a write of one thing comes to: checked, and not written.
type decision struct {
	of     string                   // whose the thing is
	passed *playlists.Waiver        // what was let through under a name
	waits  *playlists.PendingChange // what waits for the department
	before bool                     // a change waited, and waits no more
}

// decide checks a thing as it shall be; value nil is its removal. It changes a
// sign where a part of it has to wait.
func (a *App) decide(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, over *api.Override) (d decision, err error) {
	d.of = owner
	old, err := a.kept(ctx, kind, owner, id)
	if err != nil {
		return d, err
	}
	switch kind {
	case playlists.KindSign, playlists.KindUser:
		if d.of, err = ownerOf(old); err != nil {
			return d, err
		}
		if value != nil {
			of := ownerIn(value)
			if old != nil && d.of != of { // somebody else was quicker
				return d, &playlists.Error{Code: playlists.Conflict, Field: string(kind), Value: id, Problem: "is taken", Remedy: "choose another name"}
			}
			d.of = of
		}
	case playlists.KindArea, playlists.KindCampaign:
		d.of = playlists.Public
	case playlists.KindOwner:
		d.of = id
	}
	if err := a.officer(ctx, who, kind, owner, id, old, value); err != nil {
		return d, err
	}
	if kind == playlists.KindUser {
		next, _ := value.(*playlists.User)
		if err := a.lastAdmin(ctx, id, next); err != nil {
			return d, err
		}
	}
	if value == nil {
		return d, a.unused(ctx, kind, owner, id)
	}
	if old == nil {
		if err := a.room(ctx, kind, owner, d.of, id); err != nil {
			return d, err
		}
	}
	if v, ok := value.(*playlists.Sign); ok {
		if d.waits, err = a.hold(ctx, who, v); err != nil {
			return d, err
		}
		waiting, err := a.kept(ctx, kindPending, "", id)
		if err != nil {
			return d, err
		}
		// A company that puts a sign back as it was takes its wish back.
		d.before = waiting != nil && !who.Department()
	}
	d.passed, err = a.door(ctx, who, value, over)
	return d, err
}

func ownerIn(value any) string {
	switch v := value.(type) {
	case *playlists.Sign:
		return v.Owner
	case *playlists.User:
		return v.Owner
	}
	return ""
}

// write decides and writes as if nobody else wrote meanwhile: what is decided
// may take a while, as drawing does, and is decided again where somebody did.
func (a *App) write(decide func() error, write func() error) error {
	seen := a.writes.Load()
	if err := decide(); err != nil {
		return err
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.writes.Load() != seen {
		if err := decide(); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		return err
	}
	a.writes.Add(1)
	return nil
}

// Put writes value, which it changes where a part of it has to wait.
func (o objects) Put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64, over *api.Override) (api.Written, error) {
	return o.put(ctx, who, kind, owner, id, value, expected, over, false)
}

// put is Put; settles says that the sign's waiting change is decided by it.
func (o objects) put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64, over *api.Override, settles bool) (w api.Written, err error) {
	var d decision
	sign, _ := value.(*playlists.Sign)
	var asked playlists.Sign
	if sign != nil {
		asked = *sign
	}
	err = o.a.write(func() (err error) {
		if sign != nil {
			*sign = asked // deciding takes out what has to wait
		}
		d, err = o.a.decide(ctx, who, kind, owner, id, value, over)
		return err
	}, func() error {
		change := func(kind playlists.Kind, owner, id string, v any, expected int64) (store.Change, error) {
			data, err := json.Marshal(v)
			return store.Change{Expected: expected, By: actor(who, o.a.now()), Of: d.of,
				Object: store.Object{Kind: string(kind), Owner: owner, ID: id, Data: data, UpdatedMS: o.a.now().UnixMilli()}}, err
		}
		first, err := change(kind, owner, id, value, expected)
		if err != nil {
			return err
		}
		var with []store.Change
		add := func(c store.Change, err error) error { with = append(with, c); return err }
		if d.passed != nil {
			if err := add(change(kindOverride, d.of, string(kind)+"."+id, d.passed, store.AnyVersion)); err != nil {
				return err
			}
		}
		switch {
		case d.waits != nil:
			w.Waits = true
			if err := add(change(kindPending, "", id, d.waits, store.AnyVersion)); err != nil {
				return err
			}
		case d.before || settles:
			c, _ := change(kindPending, "", id, nil, store.AnyVersion)
			c.Remove, c.Object.Data = true, nil
			with = append(with, c)
		}
		if w.Version, err = o.a.store.Audit().Change(ctx, first, with...); err != nil {
			return err
		}
		o.a.changed(ctx, kind, d.of, value)
		return nil
	})
	return w, err
}

func (o objects) Delete(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, expected int64) error {
	var d decision
	return o.a.write(func() (err error) {
		d, err = o.a.decide(ctx, who, kind, owner, id, nil, nil)
		return err
	}, func() error {
		var media *playlists.Medium
		if kind == playlists.KindMedia {
			m, err := get[playlists.Medium](ctx, o.a.store, string(kind), owner, id)
			if err != nil {
				return err
			}
			media = m
		}
		_, err := o.a.store.Audit().Change(ctx, store.Change{Expected: expected, Remove: true, Of: d.of, By: actor(who, o.a.now()),
			Object: store.Object{Kind: string(kind), Owner: owner, ID: id}})
		if err != nil {
			return err
		}
		switch kind {
		case playlists.KindSign:
			o.a.dismiss(ctx, id)
		case playlists.KindUser:
			o.a.left(ctx, who, id)
		case playlists.KindMedia:
			o.a.dropFile(ctx, owner, media.SHA256)
		}
		o.a.kick(kind, d.of)
		return nil
	})
}

// kick lets a change of an owner's take effect on signs.
func (a *App) kick(kind playlists.Kind, of string) {
	if kind == playlists.KindSign || kind == playlists.KindOwner {
		a.alerts.SignsChanged()
	}
	a.publisher.KickOwner(of)
}

// changed lets a written object of an owner take effect.
func (a *App) changed(ctx context.Context, kind playlists.Kind, of string, value any) {
	switch v := value.(type) {
	case *playlists.Sign:
		if c, err := a.store.Credentials().Get(ctx, v.ID); err == nil {
			a.accounts.put(v, c.SHA256)
		}
	case *playlists.User:
		a.auth.SetUser(v.ID, v)
	}
	a.kick(kind, of)
}

// dismiss takes a removed sign's credential away and closes its connection.
func (a *App) dismiss(ctx context.Context, sign string) {
	if err := a.store.Credentials().Remove(ctx, sign); err != nil && !missing(err) {
		a.log.Error("a removed sign's credential could not be removed", "sign", sign, "err", err)
	}
	a.accounts.remove(sign)
	if a.broker != nil {
		a.broker.Disconnect(sign)
	}
}

// exists refuses what names something that is not there.
func (a *App) exists(ctx context.Context, kind, owner, id, field string) error {
	_, err := a.store.Objects().Get(ctx, kind, owner, id)
	if missing(err) {
		return &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Problem: "is no " + kind + " here", Remedy: "put that first"}
	}
	return err
}
