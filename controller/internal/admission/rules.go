package admission

import "ledcast/playlists"

// rules rejects what the rules of single kinds forbid.
func (x *check) rules(t playlists.Thing) error {
	switch t := t.(type) {
	case *playlists.Sign:
		return x.sign(t)
	case *playlists.Area:
		return x.successor(t)
	case *playlists.User:
		if x.who.ID == "user:"+t.ID && (t.Disabled || t.Role != playlists.RoleAdmin) {
			return &playlists.Error{Code: playlists.Invalid, Field: "users/" + t.ID,
				Key: "role-of-oneself"}
		}
	}
	return nil
}

// sign rejects another class, and a name that was used before.
func (x *check) sign(s *playlists.Sign) error {
	old, ok := x.old.(*playlists.Sign)
	if ok && old.Class != s.Class {
		return &playlists.Error{Code: playlists.Invalid, Field: "signs/" + s.ID + ".class", Value: s.Class.String(),
			Key: "class-fixed", Args: []any{old.Class.String()}}
	}
	if !ok && x.ch.Used {
		return &playlists.Error{Code: playlists.Invalid, Field: "signs/id", Value: s.ID,
			Key: "sign-name-used-before"}
	}
	return nil
}

// successor rejects a successor that was replaced itself, so that two areas
// cannot replace each other.
func (x *check) successor(a *playlists.Area) error {
	if a.ReplacedBy == "" {
		return nil
	}
	next, ok := playlists.Find[*playlists.Area](x.s, playlists.Key{Kind: playlists.KindArea, ID: a.ReplacedBy})
	if !ok || next.ReplacedBy == "" {
		return nil
	}
	return &playlists.Error{Code: playlists.Invalid, Field: "areas/" + a.Code + ".replaced_by", Value: a.ReplacedBy,
		Key: "area-replaced", Args: []any{next.ReplacedBy}}
}
