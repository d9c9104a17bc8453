package app

import (
	"context"
	"encoding/json"
	"slices"

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

// Put writes value, which it changes where a part of it has to wait.
func (o objects) Put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64, over *api.Override) (w api.Written, err error) {
	of := owner
	var waits *api.Pending
	switch v := value.(type) {
	case *playlists.Sign:
		of = v.Owner
		if waits, err = o.a.hold(ctx, who, v); err != nil {
			return w, err
		}
	case *playlists.User:
		of = v.Owner
	case *playlists.Area, *playlists.Campaign:
		of = playlists.Public
	case *playlists.Owner:
		of = v.ID
	}
	passed, err := o.a.door(ctx, who, value, over)
	if err != nil {
		return w, err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return w, err
	}
	change := func(kind playlists.Kind, owner, id string, data []byte, expected int64) (int64, error) {
		return o.a.store.Audit().Change(ctx, store.Change{Expected: expected, By: actor(who, o.a.now()), Of: of,
			Object: store.Object{Kind: string(kind), Owner: owner, ID: id, Data: data, UpdatedMS: o.a.now().UnixMilli()}})
	}
	if w.Version, err = change(kind, owner, id, data, expected); err != nil {
		return w, err
	}
	o.a.changed(ctx, kind, of, value)
	if passed != nil {
		note, err := json.Marshal(passed)
		if err == nil {
			_, err = change(kindOverride, of, string(kind)+"."+id, note, store.AnyVersion)
		}
		if err != nil {
			return w, err
		}
	}
	if waits != nil {
		w.Waits = true
		note, err := json.Marshal(waits)
		if err == nil {
			_, err = change(kindPending, "", id, note, store.AnyVersion)
		}
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

func (o objects) Delete(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, expected int64) error {
	of := owner
	switch kind {
	case playlists.KindSign, playlists.KindUser:
		x, err := o.Get(ctx, kind, owner, id)
		if err != nil {
			return err
		}
		var v struct{ Owner string }
		if err := json.Unmarshal(x.Data, &v); err != nil {
			return err
		}
		of = v.Owner
	case playlists.KindArea, playlists.KindCampaign:
		of = playlists.Public
	case playlists.KindOwner:
		of = id
	}
	if err := o.a.unused(ctx, kind, owner, id); err != nil {
		return err
	}
	var media *api.Medium
	if kind == playlists.KindMedia {
		m, err := get[api.Medium](ctx, o.a.store, string(kind), owner, id)
		if err != nil {
			return err
		}
		media = m
	}
	_, err := o.a.store.Audit().Change(ctx, store.Change{Expected: expected, Remove: true, Of: of, By: actor(who, o.a.now()),
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
	o.a.kick(kind, of)
	return nil
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

// unused refuses to delete what something else still names.
func (a *App) unused(ctx context.Context, kind playlists.Kind, owner, id string) error {
	used := func(by string) error {
		return &playlists.Error{Code: playlists.Invalid, Field: string(kind), Value: id, Problem: "is still used by " + by, Remedy: "change that first"}
	}
	switch kind {
	case playlists.KindOwner:
		if id == playlists.Public {
			return &playlists.Error{Code: playlists.Invalid, Field: string(kind), Value: id, Problem: "is the department", Remedy: "leave it"}
		}
		return a.ownsNothing(ctx, id, used)
	case playlists.KindMedia:
		by, err := a.usersOf(ctx, owner, id)
		if err == nil && len(by) > 0 {
			return used("message " + by[0])
		}
		return err
	case playlists.KindArea:
		return a.namesNot(ctx, id, used)
	case playlists.KindAgreement:
		// What it carries is asked as if its share became nothing.
		x, err := get[playlists.Agreement](ctx, a.store, kindAgreement, owner, id)
		if err != nil {
			return err
		}
		x.SharePercent = 0
		d, err := a.plans(ctx)
		if err != nil {
			return err
		}
		return d.Agreement(x, a.now().Unix())
	case playlists.KindPlaylist:
		signs, err := catalogue{a.store}.Signs(ctx)
		if err != nil {
			return err
		}
		for i := range signs {
			o, p := playlists.SplitRef(signs[i].Owner, signs[i].Playlist)
			if signs[i].Playlist == "" {
				o, p = playlists.Public, "default"
			}
			if o == owner && p == id {
				return used("sign " + signs[i].ID)
			}
		}
		schedules, err := list[playlists.Schedule](ctx, a.store, kindSchedule)
		if err != nil {
			return err
		}
		for i := range schedules {
			if o, p := playlists.SplitRef(schedules[i].Owner, schedules[i].Playlist); o == owner && p == id {
				return used("schedule " + schedules[i].ID)
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
		campaigns, err := list[playlists.Campaign](ctx, a.store, kindCampaign)
		if err != nil {
			return err
		}
		for i := range campaigns {
			if owner == playlists.Public && slices.Contains(campaigns[i].Messages, id) {
				return used("campaign " + campaigns[i].ID)
			}
		}
	}
	return nil
}

// ownsNothing refuses while anything belongs to an owner.
func (a *App) ownsNothing(ctx context.Context, owner string, used func(string) error) error {
	for _, kind := range []string{kindMessage, kindPlaylist, kindSchedule, kindAgreement, string(playlists.KindMedia)} {
		list, err := a.store.Objects().List(ctx, kind, owner)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return used(kind + " " + list[0].ID)
		}
	}
	for _, kind := range []string{kindSign, string(playlists.KindUser), string(playlists.KindToken)} {
		list, err := a.store.Objects().List(ctx, kind, "")
		if err != nil {
			return err
		}
		for _, o := range list {
			var v struct{ Owner string }
			if err := json.Unmarshal(o.Data, &v); err != nil {
				return err
			}
			if v.Owner == owner {
				return used(kind + " " + o.ID)
			}
		}
	}
	return nil
}

// namesNot refuses while anything names an area, or lies below it.
func (a *App) namesNot(ctx context.Context, code string, used func(string) error) error {
	areas, err := list[playlists.Area](ctx, a.store, kindArea)
	if err != nil {
		return err
	}
	for _, x := range areas {
		if x.Code != code && (playlists.Covers(code, x.Code) || x.ReplacedBy == code) {
			return used("area " + x.Code)
		}
	}
	signs, err := catalogue{a.store}.Signs(ctx)
	if err != nil {
		return err
	}
	for i := range signs {
		if slices.Contains(signs[i].Areas, code) {
			return used("sign " + signs[i].ID)
		}
	}
	campaigns, err := list[playlists.Campaign](ctx, a.store, kindCampaign)
	if err != nil {
		return err
	}
	for i := range campaigns {
		if slices.Contains(campaigns[i].Areas, code) {
			return used("campaign " + campaigns[i].ID)
		}
	}
	users, err := list[playlists.User](ctx, a.store, string(playlists.KindUser))
	if err != nil {
		return err
	}
	for i := range users {
		if slices.Contains(users[i].Areas, code) {
			return used("user " + users[i].ID)
		}
	}
	return nil
}

// exists refuses what names something that is not there.
func (a *App) exists(ctx context.Context, kind, owner, id, field string) error {
	_, err := a.store.Objects().Get(ctx, kind, owner, id)
	if missing(err) {
		return &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Problem: "is no " + kind + " here", Remedy: "put that first"}
	}
	return err
}
