// Package admission decides what may be put, and by whom: whether what a change
// names exists, whether the person acts where it takes effect, what waits for
// the department, whether there is room, whether every plan can still be made,
// and whether the words can be read.
//
// It is pure: a snapshot, a principal, a change and a time give a decision. It
// reads no store and no clock. Drawings come through [Artist].
package admission

import (
	"context"
	"time"

	"ledcast/playlists"
)

// Artist draws a message for a class. Asking twice costs nothing.
type Artist interface {
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class,
		motion playlists.Motion) (*playlists.Artwork, error)
}

// Others answers for what is not a thing of the snapshot: tokens, alerts and
// policies.
type Others interface {
	// NamesArea is what names an area, e.g. "alert lu-1"; "" for nothing.
	NamesArea(code string) string
	// NamesOwner is what belongs to an owner, e.g. "token lan"; "" for nothing.
	NamesOwner(owner string) string
}

// Checker decides. It is safe for concurrent use.
type Checker struct {
	Artist Artist
	Others Others
}

// Change is what somebody wants to put.
type Change struct {
	Key   playlists.Key
	Thing playlists.Thing // as it shall be; nil to remove it. It is not changed
	Waive *Waive          // nil: no rule is overridden
	// Used says that a thing of this key was deleted before. A sign's name is
	// never used again: proof of play, floors and pinned keys go by it.
	Used bool
	// Picture draws with a new picture's bytes, for a Medium that replaces one.
	Picture Artist
}

// Waive overrides a legibility rule, under the name of the person who does.
type Waive struct {
	Code   string // of the finding, e.g. "distance"
	Reason string // kept in the log
}

// Decision is what a change comes to. Nothing is written yet.
type Decision struct {
	Thing   playlists.Thing          // as it is to be written; nil for a removal
	Of      string                   // the owner that it belongs to
	Waiver  *playlists.Waiver        // what was let through; nil for nothing
	Pending *playlists.PendingChange // the part that waits for the department; nil for nothing
	Settles bool                     // a part of it waited before, and waits no more
}

// Check decides about a change by who against everything that is set. Its error
// is an *playlists.Error that names the field, the value and the remedy.
func (c *Checker) Check(ctx context.Context, s *playlists.Snapshot, who *playlists.Principal, ch Change,
	now time.Time) (Decision, error) {
	x := &check{Checker: c, ctx: ctx, s: s, who: who, ch: ch, now: now, old: s.Get(ch.Key)}
	d, err := x.decide()
	if err != nil {
		return Decision{}, err
	}
	return d, nil
}

// check is one call of Check.
type check struct {
	*Checker
	ctx context.Context
	s   *playlists.Snapshot
	who *playlists.Principal
	ch  Change
	now time.Time
	old playlists.Thing // as it is kept; nil where there is none
}

func (x *check) decide() (d Decision, err error) {
	if d.Of, err = x.owner(); err != nil {
		return d, err
	}
	if err := x.scope(); err != nil {
		return d, err
	}
	if err := x.lastAdministrator(); err != nil {
		return d, err
	}
	if x.ch.Thing == nil {
		return d, x.removable()
	}
	if err := x.quota(d.Of); err != nil {
		return d, err
	}
	d.Thing = x.ch.Thing
	if sign, ok := d.Thing.(*playlists.Sign); ok {
		if d.Thing, d.Pending, err = x.splitForApproval(sign); err != nil {
			return d, err
		}
		// A company that puts a sign back as it was withdraws its request.
		d.Settles = x.s.Pending(sign.ID) != nil && !x.who.Department()
	}
	if w := x.ch.Waive; w != nil && w.Code != "distance" {
		return d, &playlists.Error{Code: playlists.Invalid, Field: "override", Value: w.Code,
			Key: "override-unknown"}
	}
	if err := x.references(d.Thing); err != nil {
		return d, err
	}
	if err := x.rules(d.Thing); err != nil {
		return d, err
	}
	d.Waiver, err = x.shows(d.Thing)
	return d, err
}

// owner is whose the thing is. What belongs to somebody keeps its owner.
func (x *check) owner() (string, error) {
	if x.old == nil {
		if x.ch.Thing == nil {
			owner, _ := playlists.InfoOf(x.ch.Key.Kind).OwnerOf(x.ch.Key)
			return owner, nil
		}
		return x.ch.Thing.Of(), nil
	}
	of := x.old.Of()
	if x.ch.Thing != nil && x.ch.Thing.Of() != of { // somebody else was quicker
		return "", &playlists.Error{Code: playlists.Conflict, Field: string(x.ch.Key.Kind), Value: x.ch.Key.ID,
			Key: "name-taken"}
	}
	return of, nil
}

// where names the changed thing in errors, e.g. "signs/qn-001".
func (x *check) where() string { return string(x.ch.Key.Kind) + "s/" + x.ch.Key.ID }
