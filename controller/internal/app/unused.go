package app

import (
	"context"
	"encoding/json"
	"slices"

	"ledcast/playlists"
)

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
		signs, err := a.catalogue().Signs(ctx)
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
	signs, err := a.catalogue().Signs(ctx)
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
	waiting, err := list[playlists.PendingChange](ctx, a.store, string(kindPending))
	if err != nil {
		return err
	}
	for i := range waiting {
		if slices.Contains(waiting[i].Areas, code) {
			return used("sign " + waiting[i].Sign)
		}
	}
	for _, t := range a.auth.Tokens() {
		if slices.Contains(t.Areas, code) {
			return used("token " + t.ID)
		}
	}
	if by := a.alerts.Naming(code); by != "" {
		return used(by)
	}
	return nil
}
