package playlists

import (
	"iter"
	"slices"
)

// Kept is a thing and when it was last written.
type Kept struct {
	Thing     Thing
	UpdatedMS int64 // Unix ms
}

// Shelf is every thing of one kind, with an index of what they name.
type Shelf struct {
	Kept  []Kept
	byKey map[Key]int
	users map[Key][]use
}

type use struct {
	at  int // index in Kept
	ref Ref
}

// NewShelf indexes the things of a kind, in the given order. They must not be
// changed afterwards.
func NewShelf(things []Kept) *Shelf {
	s := &Shelf{Kept: things, byKey: make(map[Key]int, len(things)), users: map[Key][]use{}}
	for i, x := range things {
		s.byKey[x.Thing.Key()] = i
		for _, r := range x.Thing.Refs() {
			s.users[r.Key] = append(s.users[r.Key], use{i, r})
		}
	}
	return s
}

// Snapshot is everything that people have put, as it was at one moment, and an
// index of who names what. It is safe for concurrent use. Neither it nor what it
// returns may be changed.
type Snapshot struct {
	shelves map[Kind]*Shelf
	pending map[string]*PendingChange // by sign
	waivers map[Key]*Waiver
	later   Successions
	signs   []Sign         // where they stand today
	at      map[string]int // index in signs
}

// NewSnapshot joins one shelf for each kind, the changes of signs that wait for
// the department, and the waivers by the key of the thing that they were given
// for. A kind without a shelf has no things.
func NewSnapshot(shelves map[Kind]*Shelf, pending []PendingChange, waivers map[Key]*Waiver) *Snapshot {
	s := &Snapshot{shelves: shelves, pending: make(map[string]*PendingChange, len(pending)), waivers: waivers}
	for i := range pending {
		s.pending[pending[i].Sign] = &pending[i]
	}
	s.later = NewSuccessions(All[*Area](s, KindArea))
	signs := All[*Sign](s, KindSign)
	s.signs, s.at = make([]Sign, len(signs)), make(map[string]int, len(signs))
	for i, x := range signs {
		s.signs[i] = *x
		s.signs[i].Areas = s.later.Extend(x.Areas)
		s.at[x.ID] = i
	}
	return s
}

// Signs are all signs where they stand today: in what has taken their areas'
// places, too. The slice has no spare capacity, so that a caller may append.
func (s *Snapshot) Signs() []Sign { return slices.Clip(s.signs) }

// Sign is one of Signs, or nil.
func (s *Snapshot) Sign(id string) *Sign {
	i, ok := s.at[id]
	if !ok {
		return nil
	}
	return &s.signs[i]
}

// Successions are the areas that took others' places.
func (s *Snapshot) Successions() Successions { return s.later }

// Pending is the change of a sign that waits for the department, or nil.
func (s *Snapshot) Pending(sign string) *PendingChange { return s.pending[sign] }

// Waiver is what was overridden for a thing, or nil.
func (s *Snapshot) Waiver(k Key) *Waiver { return s.waivers[k] }

// Things lists a kind's things, sorted by owner, then id.
func (s *Snapshot) Things(k Kind) []Kept {
	if shelf := s.shelves[k]; shelf != nil {
		return shelf.Kept
	}
	return nil
}

// Get is the thing with that key as it was put, or nil.
func (s *Snapshot) Get(k Key) Thing {
	shelf := s.shelves[k.Kind]
	if shelf == nil {
		return nil
	}
	i, ok := shelf.byKey[k]
	if !ok {
		return nil
	}
	return shelf.Kept[i].Thing
}

// Find is Get for a kind's type.
func Find[T Thing](s *Snapshot, k Key) (T, bool) {
	t, ok := s.Get(k).(T)
	return t, ok
}

// All lists a kind's things as their type, sorted by owner, then id.
func All[T Thing](s *Snapshot, k Kind) []T {
	things := s.Things(k)
	out := make([]T, 0, len(things))
	for _, x := range things {
		if t, ok := x.Thing.(T); ok {
			out = append(out, t)
		}
	}
	return out
}

// UsedBy lists what names a thing, in the order of Kinds, then by owner and id.
func (s *Snapshot) UsedBy(k Key) iter.Seq2[Thing, Ref] {
	return func(yield func(Thing, Ref) bool) {
		for i := range Kinds {
			shelf := s.shelves[Kinds[i].Kind]
			if shelf == nil {
				continue
			}
			for _, u := range shelf.users[k] {
				if !yield(shelf.Kept[u.at].Thing, u.ref) {
					return
				}
			}
		}
	}
}

// Playlist is one of an owner's playlists; an *Error of code NotFound where
// there is none.
func (s *Snapshot) Playlist(owner, id string) (*Playlist, error) {
	return found[*Playlist](s, Key{KindPlaylist, owner, id})
}

// Message is one of an owner's messages; an *Error of code NotFound where there
// is none.
func (s *Snapshot) Message(owner, id string) (*Message, error) {
	return found[*Message](s, Key{KindMessage, owner, id})
}

func found[T Thing](s *Snapshot, k Key) (T, error) {
	t, ok := Find[T](s, k)
	if !ok {
		return t, &Error{Code: NotFound, Field: string(k.Kind) + "/" + k.Owner + "/" + k.ID,
			Key: "not-found"}
	}
	return t, nil
}
