package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// objects is the store as the API writes it: what cannot be read on a sign
// that it is meant for is refused at the door, and every write is audited.
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

func (o objects) Put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64) (int64, error) {
	if err := o.a.door(ctx, value); err != nil {
		return 0, err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	now := o.a.now().UnixMilli()
	version, err := o.a.store.Audit().Change(ctx, store.Change{Expected: expected, By: store.Actor{Who: who.ID, From: who.From, AtMS: now},
		Object: store.Object{Kind: string(kind), Owner: owner, ID: id, Data: data, UpdatedMS: now}})
	if err == nil {
		o.a.changed(ctx, value)
	}
	return version, err
}

func (o objects) Delete(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, expected int64) error {
	if err := o.a.unused(ctx, kind, owner, id); err != nil {
		return err
	}
	_, err := o.a.store.Audit().Change(ctx, store.Change{Expected: expected, Remove: true, By: store.Actor{Who: who.ID, From: who.From, AtMS: o.a.now().UnixMilli()},
		Object: store.Object{Kind: string(kind), Owner: owner, ID: id}})
	if err != nil {
		return err
	}
	if kind == playlists.KindSign {
		o.a.dismiss(ctx, id)
	}
	o.a.Kick()
	return nil
}

// changed lets a written object take effect.
func (a *App) changed(ctx context.Context, value any) {
	if s, ok := value.(*playlists.Sign); ok {
		if c, err := a.store.Credentials().Get(ctx, s.ID); err == nil {
			a.accounts.put(s, c.SHA256)
		}
	}
	a.Kick()
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

// door refuses what could not be shown where it is meant for.
func (a *App) door(ctx context.Context, value any) error {
	switch v := value.(type) {
	case *playlists.Sign:
		if broker.Reserved(v.ID) {
			return &playlists.Error{Code: playlists.Invalid, Field: "signs/id", Value: v.ID, Problem: "is the controller's own name", Remedy: "choose another"}
		}
		if err := a.exists(ctx, kindOwner, "", v.Owner, "signs/"+v.ID+".owner"); err != nil {
			return err
		}
		old, err := get[playlists.Sign](ctx, a.store, kindSign, "", v.ID)
		if err != nil && !missing(err) {
			return err
		}
		if err == nil && old.Class != v.Class {
			return &playlists.Error{Code: playlists.Invalid, Field: "signs/" + v.ID + ".class", Value: v.Class.String(),
				Problem: "is not the sign's class " + old.Class.String() + ", which never changes", Remedy: "a new face is a new sign"}
		}
		if v.Playlist != "" {
			owner, id := playlists.SplitRef(v.Owner, v.Playlist)
			return a.exists(ctx, kindPlaylist, owner, id, "signs/"+v.ID+".playlist")
		}
	case *playlists.Message:
		return a.readable(ctx, v)
	case *playlists.Playlist:
		for i, it := range v.Items {
			owner, id := playlists.SplitRef(v.Owner, it.Message)
			if err := a.exists(ctx, kindMessage, owner, id, fmt.Sprintf("playlists/%s.items[%d].message", v.ID, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readable draws a message for every class that may show it: the owner's
// signs', and everybody's for the department's.
func (a *App) readable(ctx context.Context, m *playlists.Message) error {
	if err := a.exists(ctx, kindOwner, "", m.Owner, "messages/"+m.ID+".owner"); err != nil {
		return err
	}
	signs, err := catalogue{a.store}.Signs(ctx)
	if err != nil {
		return err
	}
	type look struct {
		class  playlists.Class
		stills bool
	}
	seen := map[look]bool{}
	for i := range signs {
		s := &signs[i]
		k := look{s.Class, s.Picture()}
		if seen[k] || (m.Owner != playlists.Public && s.Owner != m.Owner) {
			continue
		}
		seen[k] = true
		if _, err := a.artist.Artwork(ctx, m, s.Class, s.Picture()); err != nil {
			var e *playlists.Error
			if errors.As(err, &e) {
				c := *e
				c.Problem += " (on " + s.Class.String() + ")"
				return &c
			}
			return err
		}
	}
	return nil
}

func (a *App) exists(ctx context.Context, kind, owner, id, field string) error {
	_, err := a.store.Objects().Get(ctx, kind, owner, id)
	if missing(err) {
		return &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Problem: "is no " + kind + " here", Remedy: "put that first"}
	}
	return err
}

// unused refuses to delete what something else still names.
func (a *App) unused(ctx context.Context, kind playlists.Kind, owner, id string) error {
	used := func(by string) error {
		return &playlists.Error{Code: playlists.Invalid, Field: string(kind), Value: id, Problem: "is still used by " + by, Remedy: "change that first"}
	}
	signs, err := catalogue{a.store}.Signs(ctx)
	if err != nil {
		return err
	}
	switch kind {
	case playlists.KindOwner:
		for i := range signs {
			if signs[i].Owner == id {
				return used("sign " + signs[i].ID)
			}
		}
	case playlists.KindPlaylist:
		for i := range signs {
			o, p := playlists.SplitRef(signs[i].Owner, signs[i].Playlist)
			if signs[i].Playlist == "" {
				o, p = playlists.Public, "default"
			}
			if o == owner && p == id {
				return used("sign " + signs[i].ID)
			}
		}
	case playlists.KindMessage:
		lists, err := list[playlists.Playlist](ctx, a.store, kindPlaylist)
		if err != nil {
			return err
		}
		for i := range lists {
			for _, it := range lists[i].Items {
				if o, m := playlists.SplitRef(lists[i].Owner, it.Message); o == owner && m == id {
					return used("playlist " + lists[i].ID)
				}
			}
		}
	}
	return nil
}

// tokens is the store's API tokens.
type tokens struct {
	store store.Store
	now   func() int64
}

const kindToken = "token"

func (t tokens) List(ctx context.Context) ([][]byte, error) {
	list, err := t.store.Objects().List(ctx, kindToken, store.AllOwners)
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i].Data
	}
	return out, err
}

func (t tokens) Put(ctx context.Context, id string, data []byte) error {
	_, err := t.store.Objects().Put(ctx, store.Object{Kind: kindToken, ID: id, Data: data, UpdatedMS: t.now()}, store.AnyVersion)
	return err
}

func (t tokens) Delete(ctx context.Context, id string) error {
	return t.store.Objects().Delete(ctx, kindToken, "", id, store.AnyVersion)
}
