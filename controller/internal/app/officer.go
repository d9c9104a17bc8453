package app

import (
	"context"
	"encoding/json"
	"fmt"

	"ledcast/playlists"
)

// officer refuses what an officer of the department would do outside the areas
// that they hold. Old is the thing as it is kept, nil where there is none;
// value is what it shall be, nil where it shall be gone. Both count: neither may
// a thing of elsewhere be changed, nor one be moved there.
func (a *App) officer(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, old []byte, value any) error {
	if !who.Officer() && len(who.Only) == 0 {
		return nil
	}
	where := string(kind) + "s/" + id
	versions, err := oldAndNew(kind, old, value)
	if err != nil {
		return err
	}
	if kind == playlists.KindUser { // as for tokens: nobody lets anybody do more than they may
		for _, v := range versions {
			u := v.(*playlists.User)
			if err := who.CheckGrant(where, u.Owner, u.Areas, nil); err != nil {
				return err
			}
		}
		return nil
	}
	if !who.Officer() {
		return nil
	}
	g, err := a.guard(ctx, who)
	if err != nil {
		return err
	}
	switch kind {
	case playlists.KindOwner:
		return g.everywhere(where, id)
	case playlists.KindArea:
		if !g.within(id) {
			return g.outside(where, id)
		}
	case playlists.KindSign, playlists.KindCampaign, playlists.KindSchedule:
		for _, v := range versions {
			if err := g.reaches(where, v); err != nil {
				return err
			}
		}
	case playlists.KindPlaylist:
		return g.playlist(where, owner, id)
	case playlists.KindMessage:
		return g.message(where, owner, id)
	case playlists.KindMedia:
		by, err := a.usersOf(ctx, owner, id)
		for i := 0; i < len(by) && err == nil; i++ {
			err = g.message(where, owner, by[i])
		}
		return err
	}
	return nil
}

// oldAndNew are both versions of a thing, where there are.
func oldAndNew(kind playlists.Kind, old []byte, value any) (out []any, err error) {
	if value != nil {
		out = append(out, value)
	}
	if old == nil {
		return out, nil
	}
	var v any
	switch kind {
	case playlists.KindSign:
		v = new(playlists.Sign)
	case playlists.KindCampaign:
		v = new(playlists.Campaign)
	case playlists.KindSchedule:
		v = new(playlists.Schedule)
	case playlists.KindUser:
		v = new(playlists.User)
	default:
		return out, nil
	}
	if err := json.Unmarshal(old, v); err != nil {
		return nil, fmt.Errorf("stored %s: %w", kind, err)
	}
	return append(out, v), nil
}

// officersGuard knows where an officer acts.
type officersGuard struct {
	ctx   context.Context
	a     *App
	who   *playlists.Principal
	areas playlists.Successions
}

func (a *App) guard(ctx context.Context, who *playlists.Principal) (*officersGuard, error) {
	areas, err := list[playlists.Area](ctx, a.store, kindArea)
	return &officersGuard{ctx, a, who, playlists.NewSuccessions(areas)}, err
}

// within reports whether the area, or what has taken its place, is the officer's.
func (g *officersGuard) within(area string) bool {
	for _, x := range g.areas.Extend([]string{area}) {
		if playlists.Within(g.who.Areas, x) {
			return true
		}
	}
	return false
}

func (g *officersGuard) outside(field, value string) error {
	return &playlists.Error{Code: playlists.Denied, Field: field, Value: value, Problem: "is outside the areas that you act in", Remedy: "ask an officer of that area"}
}

func (g *officersGuard) everywhere(field, value string) error {
	return &playlists.Error{Code: playlists.Denied, Field: field, Value: value, Problem: "reaches beyond the areas that you act in", Remedy: "ask an administrator who acts everywhere"}
}

// sign refuses one that stands anywhere else.
func (g *officersGuard) sign(where string, s *playlists.Sign) error {
	for i, x := range s.Areas {
		if !g.within(x) {
			return g.outside(fmt.Sprintf("%s.areas[%d]", where, i), x)
		}
	}
	return nil
}

// reaches refuses a thing that is for signs elsewhere.
func (g *officersGuard) reaches(where string, v any) error {
	var areas, signs []string
	switch v := v.(type) {
	case *playlists.Sign:
		return g.sign(where, v)
	case *playlists.Campaign:
		areas, signs = v.Areas, v.Signs
	case *playlists.Schedule:
		if signs = v.Signs; len(signs) == 0 {
			return g.everywhere(where, v.ID)
		}
	}
	for i, x := range areas {
		if !g.within(x) {
			return g.outside(fmt.Sprintf("%s.areas[%d]", where, i), x)
		}
	}
	for i, id := range signs {
		s, err := get[playlists.Sign](g.ctx, g.a.store, kindSign, "", id)
		if missing(err) {
			continue // the door says so
		}
		if err != nil {
			return err
		}
		if g.sign("", s) != nil {
			return g.outside(fmt.Sprintf("%s.signs[%d]", where, i), id)
		}
	}
	return nil
}

// playlist refuses one that signs elsewhere show, or may show by default.
func (g *officersGuard) playlist(where, owner, id string) error {
	if owner == playlists.Public && id == "default" {
		return g.everywhere(where, id)
	}
	signs, err := list[playlists.Sign](g.ctx, g.a.store, kindSign)
	if err != nil {
		return err
	}
	for i := range signs {
		if o, p := playlists.SplitRef(signs[i].Owner, signs[i].Playlist); signs[i].Playlist != "" && o == owner && p == id && g.sign("", &signs[i]) != nil {
			return g.everywhere(where, id)
		}
	}
	schedules, err := list[playlists.Schedule](g.ctx, g.a.store, kindSchedule)
	if err != nil {
		return err
	}
	for i := range schedules {
		if o, p := playlists.SplitRef(schedules[i].Owner, schedules[i].Playlist); o == owner && p == id && g.reaches("", &schedules[i]) != nil {
			return g.everywhere(where, id)
		}
	}
	return nil
}

// message refuses one that a playlist or a campaign of elsewhere shows.
func (g *officersGuard) message(where, owner, id string) error {
	lists, err := list[playlists.Playlist](g.ctx, g.a.store, kindPlaylist)
	if err != nil {
		return err
	}
	for i := range lists {
		for _, it := range lists[i].Items {
			if o, m := playlists.SplitRef(lists[i].Owner, it.Message); o != owner || m != id {
				continue
			}
			if lists[i].Owner != playlists.Public || g.playlist("", lists[i].Owner, lists[i].ID) != nil {
				return g.everywhere(where, id)
			}
		}
	}
	campaigns, err := list[playlists.Campaign](g.ctx, g.a.store, kindCampaign)
	if err != nil {
		return err
	}
	for i := range campaigns {
		for _, m := range campaigns[i].Messages {
			if owner == playlists.Public && m == id && g.reaches("", &campaigns[i]) != nil {
				return g.everywhere(where, id)
			}
		}
	}
	return nil
}

// mayTend refuses an officer who would let in, keep out or change a sign that
// stands elsewhere.
func (f fleet) mayTend(ctx context.Context, who *playlists.Principal, s *playlists.Sign) error {
	if who == nil || !who.Officer() {
		return nil
	}
	g, err := f.a.guard(ctx, who)
	if err != nil {
		return err
	}
	return g.sign("signs/"+s.ID, s)
}

// lastAdmin refuses to leave the department without anybody who administers it
// everywhere. gone is who would no longer, or be no more.
func (a *App) lastAdmin(ctx context.Context, id string, next *playlists.User) error {
	does := func(u *playlists.User) bool {
		return u != nil && u.Owner == playlists.Public && u.Role == playlists.RoleAdmin && len(u.Areas) == 0 && !u.Disabled
	}
	old, err := get[playlists.User](ctx, a.store, string(playlists.KindUser), "", id)
	if missing(err) || err == nil && (!does(old) || does(next)) {
		return nil
	}
	if err != nil {
		return err
	}
	users, err := list[playlists.User](ctx, a.store, string(playlists.KindUser))
	if err != nil {
		return err
	}
	for i := range users {
		if users[i].ID != id && does(&users[i]) {
			return nil
		}
	}
	return &playlists.Error{Code: playlists.Invalid, Field: "users/" + id, Problem: "is the last administrator of the department", Remedy: "make another one first"}
}

// ownerOf is the owner field of a kept thing that has one; "" for nothing.
func ownerOf(data []byte) (string, error) {
	if data == nil {
		return "", nil
	}
	var v struct{ Owner string }
	err := json.Unmarshal(data, &v)
	return v.Owner, err
}

// kept is a thing's bytes as they are now; nil for nothing.
func (a *App) kept(ctx context.Context, kind playlists.Kind, owner, id string) ([]byte, error) {
	x, err := a.store.Objects().Get(ctx, string(kind), owner, id)
	if missing(err) {
		return nil, nil
	}
	return x.Data, err
}
