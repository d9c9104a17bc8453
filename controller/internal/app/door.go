package app

import (
	"context"
	"errors"
	"fmt"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/broker"
	"ledcast/playlists"
	"ledcast/playlists/plan"
)

// kindOverride is a note of what was let through under a name.
const kindOverride = playlists.Kind("override")

// door refuses what could not be shown, or not be read, where it is meant for.
// What somebody let through by name comes back as a note for the log.
func (a *App) door(ctx context.Context, who *playlists.Principal, value any, over *api.Override) (*playlists.Waiver, error) {
	if over != nil && over.Code != "distance" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "override", Value: over.Code, Problem: "cannot be overridden", Remedy: "distance can"}
	}
	switch v := value.(type) {
	case *playlists.Sign:
		if err := a.signDoor(ctx, v); err != nil {
			return nil, err
		}
		return a.readableSign(ctx, v, over)
	case *playlists.Message:
		passed, err := a.readable(ctx, a.artist, v, over)
		if err == nil {
			err = a.fits(ctx, v)
		}
		return passed, err
	case *playlists.Playlist:
		for i, it := range v.Items {
			owner, id := playlists.SplitRef(v.Owner, it.Message)
			if err := a.exists(ctx, kindMessage, owner, id, fmt.Sprintf("playlists/%s.items[%d].message", v.ID, i)); err != nil {
				return nil, err
			}
		}
		d, err := a.plans(ctx)
		if err != nil {
			return nil, err
		}
		if err := d.Playlist(v, a.now().Unix()); err != nil {
			return nil, err
		}
		return a.readablePlaylist(ctx, v, over)
	case *playlists.Area:
		return nil, a.areaDoor(ctx, v)
	case *playlists.User:
		return nil, a.userDoor(ctx, who, v)
	case *playlists.Schedule:
		owner, id := playlists.SplitRef(v.Owner, v.Playlist)
		err := a.exists(ctx, kindPlaylist, owner, id, "schedules/"+v.ID+".playlist")
		if err == nil {
			err = a.ownSigns(ctx, v.Owner, v.Signs, "schedules/"+v.ID+".signs")
		}
		var d *plan.Check
		if err == nil {
			d, err = a.plans(ctx)
		}
		if err != nil {
			return nil, err
		}
		if err := d.Schedule(v, a.now().Unix()); err != nil {
			return nil, err
		}
		return a.readableSchedule(ctx, v, over)
	case *playlists.Agreement:
		if err := a.ownSigns(ctx, v.Owner, v.Signs, "agreements/"+v.ID+".signs"); err != nil {
			return nil, err
		}
		d, err := a.plans(ctx)
		if err != nil {
			return nil, err
		}
		return nil, d.Agreement(v, a.now().Unix())
	case *playlists.Campaign:
		where := "campaigns/" + v.ID
		for i, m := range v.Messages {
			if err := a.exists(ctx, kindMessage, playlists.Public, m, fmt.Sprintf("%s.messages[%d]", where, i)); err != nil {
				return nil, err
			}
		}
		for i, s := range v.Signs {
			if err := a.exists(ctx, kindSign, "", s, fmt.Sprintf("%s.signs[%d]", where, i)); err != nil {
				return nil, err
			}
		}
		if err := a.knownAreas(ctx, v.Areas, where); err != nil {
			return nil, err
		}
		d, err := a.plans(ctx)
		if err != nil {
			return nil, err
		}
		_, err = d.Campaign(v, a.now().Unix())
		return nil, err
	}
	return nil, nil
}

// fits refuses other words for a message that is shown where they do not fit.
func (a *App) fits(ctx context.Context, m *playlists.Message) error {
	if err := a.exists(ctx, kindMessage, m.Owner, m.ID, ""); err != nil {
		if known(err) {
			return nil // new: nothing shows it
		}
		return err
	}
	d, err := a.plans(ctx)
	if err != nil {
		return err
	}
	return d.Message(m, a.now().Unix())
}

// plans is what decides whether plans can be made of all that is set and one
// thing more.
func (a *App) plans(ctx context.Context) (*plan.Check, error) {
	c := a.catalogue()
	d := &plan.Check{Content: drawn{ctx, a}}
	var err error
	if d.Signs, err = c.Signs(ctx); err != nil {
		return nil, err
	}
	if d.Rulebook.Schedules, err = c.Schedules(ctx); err != nil {
		return nil, err
	}
	if d.Rulebook.Campaigns, err = c.Campaigns(ctx); err != nil {
		return nil, err
	}
	d.Rulebook.Agreements, err = c.Agreements(ctx)
	return d, err
}

// drawn is the store's content as a planner asks for it.
type drawn struct {
	ctx context.Context
	a   *App
}

func (d drawn) Playlist(owner, id string) (*playlists.Playlist, error) {
	return d.a.catalogue().Playlist(d.ctx, owner, id)
}

func (d drawn) Message(owner, id string) (*playlists.Message, error) {
	return d.a.catalogue().Message(d.ctx, owner, id)
}

func (d drawn) Artwork(m *playlists.Message, c playlists.Class, motion playlists.Motion) (*playlists.Artwork, error) {
	return d.a.artist.Artwork(d.ctx, m, c, motion)
}

func (a *App) signDoor(ctx context.Context, v *playlists.Sign) error {
	where := "signs/" + v.ID
	if broker.Reserved(v.ID) {
		return &playlists.Error{Code: playlists.Invalid, Field: "signs/id", Value: v.ID, Problem: "is the controller's own name", Remedy: "choose another"}
	}
	if err := a.exists(ctx, kindOwner, "", v.Owner, where+".owner"); err != nil {
		return err
	}
	old, err := get[playlists.Sign](ctx, a.store, kindSign, "", v.ID)
	if err != nil && !missing(err) {
		return err
	}
	if old != nil {
		if old.Class != v.Class {
			return &playlists.Error{Code: playlists.Invalid, Field: where + ".class", Value: v.Class.String(),
				Problem: "is not the sign's class " + old.Class.String() + ", which never changes", Remedy: "a new face is a new sign"}
		}
	} else {
		used, err := a.store.Objects().Used(ctx, kindSign, "", v.ID)
		if err != nil {
			return err
		}
		if used {
			// Proof of play, floors and pinned keys go by this name.
			return &playlists.Error{Code: playlists.Invalid, Field: "signs/id", Value: v.ID, Problem: "was a sign's name before and is never used again", Remedy: "choose another"}
		}
	}
	if err := a.knownAreas(ctx, v.Areas, where); err != nil {
		return err
	}
	if v.Playlist != "" {
		owner, id := playlists.SplitRef(v.Owner, v.Playlist)
		if err := a.exists(ctx, kindPlaylist, owner, id, where+".playlist"); err != nil {
			return err
		}
	}
	d, err := a.plans(ctx)
	if err != nil {
		return err
	}
	return d.Sign(v, a.now().Unix())
}

// knownAreas refuses areas that are not known. One that was replaced may be
// named: what stands there lies in its successor as well.
func (a *App) knownAreas(ctx context.Context, areas []string, where string) error {
	for i, code := range areas {
		err := a.exists(ctx, kindArea, "", code, "")
		if known(err) {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("%s.areas[%d]", where, i), Value: code, Problem: "is not a known area", Remedy: "GET /api/v1/areas lists them; the department adds new ones"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// known reports whether an error is one that people can act on.
func known(err error) bool {
	var e *playlists.Error
	return errors.As(err, &e)
}

// presentAreas refuses areas that are not known, were replaced, or lie outside
// an officer's: an urgent message names the areas of today.
func (a *App) presentAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error {
	if err := a.knownAreas(ctx, areas, where); err != nil {
		return err
	}
	for i, code := range areas {
		field := fmt.Sprintf("%s.areas[%d]", where, i)
		x, err := get[playlists.Area](ctx, a.store, kindArea, "", code)
		switch {
		case err != nil:
			return err
		case x.ReplacedBy != "":
			return &playlists.Error{Code: playlists.Invalid, Field: field, Value: code, Problem: "was replaced", Remedy: "use " + x.ReplacedBy}
		case !playlists.Within(who.Areas, code):
			return &playlists.Error{Code: playlists.Denied, Field: field, Value: code, Problem: "is outside the areas that you act in", Remedy: "ask an officer of that area"}
		}
	}
	return nil
}

func (a *App) areaDoor(ctx context.Context, v *playlists.Area) error {
	where := "areas/" + v.Code
	for i := range v.Code {
		if v.Code[i] == '/' {
			if err := a.exists(ctx, kindArea, "", v.Code[:i], where); err != nil {
				return err
			}
		}
	}
	if v.ReplacedBy == "" {
		return nil
	}
	if err := a.exists(ctx, kindArea, "", v.ReplacedBy, where+".replaced_by"); err != nil {
		return err
	}
	next, err := get[playlists.Area](ctx, a.store, kindArea, "", v.ReplacedBy)
	if err == nil && next.ReplacedBy != "" { // nor can two areas replace each other
		err = &playlists.Error{Code: playlists.Invalid, Field: where + ".replaced_by", Value: v.ReplacedBy, Problem: "was replaced", Remedy: "use " + next.ReplacedBy}
	}
	return err
}

func (a *App) userDoor(ctx context.Context, who *playlists.Principal, v *playlists.User) error {
	where := "users/" + v.ID
	if err := a.exists(ctx, kindOwner, "", v.Owner, where+".owner"); err != nil {
		return err
	}
	if who.ID == "user:"+v.ID && (v.Disabled || v.Role != playlists.RoleAdmin) {
		return &playlists.Error{Code: playlists.Invalid, Field: where, Problem: "is yourself", Remedy: "let another administrator take your role away"}
	}
	return a.knownAreas(ctx, v.Areas, where)
}

// ownSigns refuses signs that are not the owner's, without telling whose.
func (a *App) ownSigns(ctx context.Context, owner string, signs []string, where string) error {
	for i, id := range signs {
		s, err := get[playlists.Sign](ctx, a.store, kindSign, "", id)
		if err != nil && !missing(err) {
			return err
		}
		if err != nil || s.Owner != owner {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("%s[%d]", where, i), Value: id, Problem: "is no sign of yours", Remedy: "put the sign first"}
		}
	}
	return nil
}
