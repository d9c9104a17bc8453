package admission

import (
	"fmt"
	"slices"
	"strings"

	"ledcast/playlists"
)

// scope rejects what an officer of the department would do outside their areas,
// and what anybody would let others do beyond their own rights. The stored and
// the new version are both checked: a thing of elsewhere may not be changed, and
// none may be moved there.
func (x *check) scope() error {
	versions := slices.DeleteFunc([]playlists.Thing{x.ch.Thing, x.old}, func(t playlists.Thing) bool { return t == nil })
	if x.ch.Key.Kind == playlists.KindUser {
		for _, v := range versions {
			u := v.(*playlists.User)
			if err := x.who.CheckGrant(x.where(), u.Owner, u.Areas, nil); err != nil {
				return err
			}
		}
		return nil
	}
	if !x.who.Officer() {
		return nil
	}
	o := officer{x.s, x.who}
	for _, v := range versions {
		if err := o.reaches(x.where(), v); err != nil {
			return err
		}
	}
	return nil
}

// Officer rejects an officer who would let in, keep out or change a sign that
// stands outside their areas.
func Officer(s *playlists.Snapshot, who *playlists.Principal, sign *playlists.Sign) error {
	if who == nil || !who.Officer() {
		return nil
	}
	return officer{s, who}.areas(sign.Reach())
}

// officer knows where an officer acts.
type officer struct {
	s   *playlists.Snapshot
	who *playlists.Principal
}

// within reports whether the area, or what has taken its place, is the officer's.
func (o officer) within(area string) bool {
	return slices.ContainsFunc(o.s.Successions().Extend([]string{area}), func(a string) bool {
		return playlists.Within(o.who.Areas, a)
	})
}

// areas rejects a reach with an area that is not the officer's.
func (o officer) areas(r playlists.Reach) error {
	for i, a := range r.Areas {
		if !o.within(a) {
			return outside(at(r.AreasField, i), a)
		}
	}
	return nil
}

// reaches rejects a thing that takes effect where the officer does not act.
func (o officer) reaches(where string, t playlists.Thing) error {
	r := t.Reach()
	if r.Everywhere {
		return beyond(where, t.Key().ID)
	}
	if r.ByUse {
		return o.used(where, t.Key())
	}
	if err := o.areas(r); err != nil {
		return err
	}
	for i, id := range r.Signs {
		sign, ok := playlists.Find[*playlists.Sign](o.s, playlists.Key{Kind: playlists.KindSign, ID: id})
		if ok && o.areas(sign.Reach()) != nil { // one that does not exist is rejected elsewhere
			return outside(at(r.SignsField, i), id)
		}
	}
	return nil
}

// used rejects content that something shows outside the officer's areas. A
// company's playlist may show the department's content on any of its signs.
func (o officer) used(where string, key playlists.Key) error {
	for by, ref := range o.s.UsedBy(key) {
		if ref.Weak {
			continue // the default rotation reaches everywhere by itself
		}
		list, isList := by.(*playlists.Playlist)
		if isList && list.Owner != playlists.Public || o.reaches("", by) != nil {
			return beyond(where, key.ID)
		}
	}
	return nil
}

func outside(field, value string) error {
	return &playlists.Error{Code: playlists.Denied, Field: field, Value: value,
		Key: "area-not-allowed"}
}

func beyond(field, value string) error {
	return &playlists.Error{Code: playlists.Denied, Field: field, Value: value,
		Key: "reach-too-wide"}
}

// at puts an index into a field's format; a field without a place for one names
// the thing itself.
func at(field string, i int) string {
	if !strings.Contains(field, "%") {
		return field
	}
	return fmt.Sprintf(field, i)
}

// lastAdministrator rejects a change that leaves the department without anybody
// who administers it everywhere.
func (x *check) lastAdministrator() error {
	administers := func(u *playlists.User) bool {
		return u != nil && u.Owner == playlists.Public && u.Role == playlists.RoleAdmin && len(u.Areas) == 0 && !u.Disabled
	}
	old, _ := x.old.(*playlists.User)
	next, _ := x.ch.Thing.(*playlists.User)
	if x.ch.Key.Kind != playlists.KindUser || !administers(old) || administers(next) {
		return nil
	}
	for _, u := range playlists.All[*playlists.User](x.s, playlists.KindUser) {
		if u.ID != old.ID && administers(u) {
			return nil
		}
	}
	return &playlists.Error{Code: playlists.Invalid, Field: "users/" + old.ID,
		Key: "last-administrator"}
}
