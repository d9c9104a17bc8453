package playlists

import (
	"cmp"
	"fmt"
)

// Schedule is a playlist on some of an owner's signs at some hours. Which of
// several wins is playlists.Plan's rule: the highest priority, then the
// narrower, then the newer.
type Schedule struct {
	ID       string `yaml:"id" json:"id"`
	Owner    string `yaml:"owner" json:"owner"`
	Name     string `yaml:"name,omitempty" json:"name,omitempty"`
	Playlist string `yaml:"playlist" json:"playlist"` // the owner's, or "public/<id>"
	// Signs and Tags say which of the owner's signs: those named, and those
	// that carry one of the tags. With neither it is all of them.
	Signs  []string `yaml:"signs,omitempty" json:"signs,omitempty"`
	Tags   []string `yaml:"tags,omitempty" json:"tags,omitempty"`
	Window `yaml:",inline"`
	// YYYY-MM-DD in the sign's zone, inclusive; "" is open
	First    string   `yaml:"first,omitempty" json:"first,omitempty"`
	Last     string   `yaml:"last,omitempty" json:"last,omitempty"`         // likewise
	Except   []string `yaml:"except,omitempty" json:"except,omitempty"`     // days on which its window does not open
	Priority int64    `yaml:"priority,omitempty" json:"priority,omitempty"` // 0 to 100; the higher wins
}

// Limits of a schedule.
const (
	MaxPriority   = 100
	MaxNamedSigns = 500 // in one schedule, campaign or agreement
	MaxName       = 200 // runes
)

// Validate returns an *Error of code Invalid or TooLarge that names the field.
// That the playlist and the signs exist is not checked here.
func (s *Schedule) Validate() error {
	where := "schedules/" + s.ID
	if err := CheckSlug("schedules/id", s.ID); err != nil {
		return err
	}
	if err := CheckSlug(where+".owner", s.Owner); err != nil {
		return err
	}
	if err := checkName(where, s.Name); err != nil {
		return err
	}
	if s.Playlist == "" {
		return &Error{Code: Invalid, Field: where + ".playlist", Key: "schedule-playlist-missing"}
	}
	_, id := SplitRef(s.Owner, s.Playlist)
	if err := CheckSlug(where+".playlist", id); err != nil {
		return err
	}
	if err := checkNames(where+".signs", s.Signs, MaxNamedSigns); err != nil {
		return err
	}
	if err := checkNames(where+".tags", s.Tags, MaxTags); err != nil {
		return err
	}
	if err := s.Window.Validate(where); err != nil {
		return err
	}
	if err := checkSpan(where, s.First, s.Last); err != nil {
		return err
	}
	if err := checkExcept(where, s.Except); err != nil {
		return err
	}
	if s.Priority < 0 || s.Priority > MaxPriority {
		return &Error{Code: Invalid, Field: where + ".priority", Value: fmt.Sprint(s.Priority),
			Key: "priority-out-of-range", Args: []any{MaxPriority}}
	}
	return nil
}

// Key implements Thing.
func (s *Schedule) Key() Key { return Key{KindSchedule, s.Owner, s.ID} }

// Of implements Thing.
func (s *Schedule) Of() string { return s.Owner }

// Complete implements Thing.
func (s *Schedule) Complete(owner, id string) {
	s.Owner = cmp.Or(s.Owner, owner)
	s.ID = cmp.Or(s.ID, id)
}

// Refs implements Thing: a schedule names its owner, its playlist and signs.
func (s *Schedule) Refs() []Ref {
	where := "schedules/" + s.ID
	owner, id := SplitRef(s.Owner, s.Playlist)
	refs := []Ref{ownerRef(where, s.Owner), {Key: Key{KindPlaylist, owner, id}, Field: where + ".playlist"}}
	return append(refs, signRefs(where, s.Signs, true)...)
}

// Reach implements Thing.
func (s *Schedule) Reach() Reach {
	return Reach{Signs: s.Signs, SignsField: "schedules/" + s.ID + ".signs[%d]", Everywhere: len(s.Signs) == 0}
}
