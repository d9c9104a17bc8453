package admission

import (
	"fmt"
	"slices"

	"ledcast/playlists"
)

// references rejects a thing that names what does not exist.
func (x *check) references(t playlists.Thing) error {
	for _, r := range t.Refs() {
		if err := x.reference(t, r); err != nil {
			return err
		}
	}
	return nil
}

func (x *check) reference(t playlists.Thing, r playlists.Ref) error {
	there := x.s.Get(r.Key)
	switch {
	case r.Weak:
		return nil
	case there == nil && r.Kind == playlists.KindArea && x.ch.Key.Kind != playlists.KindArea:
		return unknownArea(r.Field, r.ID)
	case r.Own && (there == nil || there.Of() != t.Of()):
		return &playlists.Error{Code: playlists.Invalid, Field: r.Field, Value: r.ID,
			Key: "sign-not-owned"}
	case there == nil:
		return missing(r.Field, r.ID)
	}
	return nil
}

func missing(field, id string) error {
	return &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Key: "reference-missing"}
}

func unknownArea(field, code string) error {
	return &playlists.Error{Code: playlists.Invalid, Field: field, Value: code, Key: "area-unknown"}
}

// Areas rejects areas that do not exist, were replaced, or lie outside an
// officer's: an urgent message names the areas of today.
func Areas(s *playlists.Snapshot, who *playlists.Principal, areas []string, where string) error {
	for i, code := range areas {
		field := fmt.Sprintf("%s.areas[%d]", where, i)
		a, ok := playlists.Find[*playlists.Area](s, playlists.Key{Kind: playlists.KindArea, ID: code})
		switch {
		case !ok:
			return unknownArea(field, code)
		case a.ReplacedBy != "":
			return &playlists.Error{Code: playlists.Invalid, Field: field, Value: code,
				Key: "area-replaced", Args: []any{a.ReplacedBy}}
		case !playlists.Within(who.Areas, code):
			return outside(field, code)
		}
	}
	return nil
}

// removable rejects the removal of a thing that something else still names.
func (x *check) removable() error {
	key := x.ch.Key
	if key.Kind == playlists.KindOwner && key.ID == playlists.Public {
		return &playlists.Error{Code: playlists.Invalid, Field: string(key.Kind), Value: key.ID,
			Key: "owner-is-department"}
	}
	if by := x.namedBy(key); by != "" {
		return &playlists.Error{Code: playlists.Invalid, Field: string(key.Kind), Value: key.ID,
			Key: "still-used", Args: []any{playlists.Word(by)}}
	}
	if a, ok := x.old.(*playlists.Agreement); ok {
		// What campaigns have under it is asked as if its share became nothing.
		none := *a
		none.SharePercent = 0
		return x.plans().Agreement(&none, x.now.Unix())
	}
	return nil
}

// namedBy is the first thing that names another, e.g. "playlist tet"; "" for
// none.
func (x *check) namedBy(key playlists.Key) string {
	for by := range x.s.UsedBy(key) {
		if k := by.Key(); k != key {
			return string(k.Kind) + " " + k.ID
		}
	}
	switch key.Kind {
	case playlists.KindArea:
		for _, k := range x.s.Things(playlists.KindSign) {
			id := k.Thing.Key().ID
			if p := x.s.Pending(id); p != nil && slices.Contains(p.Areas, key.ID) {
				return "sign " + id
			}
		}
		return x.Others.NamesArea(key.ID)
	case playlists.KindOwner:
		return x.Others.NamesOwner(key.ID)
	}
	return ""
}
