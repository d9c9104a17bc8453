package alert

import (
	"context"
	"slices"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// stand is what two signs have in common on which an alert reads alike.
type stand struct {
	Class  string  `json:"class"`
	Pitch  float64 `json:"pitch"`
	Metres float64 `json:"metres"`
}

func standOf(s *playlists.Sign) stand { return stand{s.Class.String(), s.Pitch, s.Distance} }

// kinds are one sign of each kind that an alert can look different on: of ten
// thousand signs a handful.
func kinds(signs []playlists.Sign) []playlists.Sign {
	type kind struct {
		class         playlists.Class
		pitch, metres float64
	}
	seen := map[kind]bool{}
	var out []playlists.Sign
	for i := range signs {
		s := &signs[i]
		if k := (kind{s.Class, s.Pitch, s.Distance}); !seen[k] {
			seen[k] = true
			out = append(out, *s)
		}
	}
	return out
}

// unreadable is a refusal that fewer words may lift.
type unreadable struct{ error }

// Unwrap lets who asks for an *Error find it.
func (u *unreadable) Unwrap() error { return u.error }

// readable refuses an alert that takes too long to read on a class, or that
// cannot be read from where people look at a sign, unless somebody lets that
// through by name. Each kind of sign is looked at once in an alert's life; a
// drill shows nothing that anybody would have to read.
func (s *Service) readable(ctx context.Context, a *playlists.Alert, l *look, kinds []playlists.Sign) error {
	if a.Mode == playlists.AlertDrill {
		return nil
	}
	where := "alerts/" + a.ID
	type part struct {
		field string
		m     *playlists.Message
		art   map[string]*playlists.Artwork
	}
	parts := []part{{where, l.Message, l.Art}}
	if l.Correction != nil {
		parts = append(parts, part{where + ".correction", l.Correction, l.Corrected})
	}
	stands := slices.Clone(l.Stands) // what is shared with readers is not changed
	for i := range kinds {
		x := &kinds[i]
		k := standOf(x)
		if slices.Contains(stands, k) {
			continue
		}
		for _, p := range parts {
			if ms := timeline.Length(p.art[k.Class].Steps); ms > playlists.MaxAlertLoop {
				return &unreadable{&playlists.Error{Code: playlists.TooLarge, Field: p.field, Value: k.Class,
					Key:  "alert-text-too-long",
					Args: []any{ms / 1000, len(p.art[k.Class].Steps), int64(playlists.MaxAlertLoop / 1000)}}}
			}
			f, err := s.o.Artist.Reads(ctx, p.m, x)
			if err != nil {
				return onClass(err, x.Class)
			}
			if f != nil && a.Override == "" {
				return &unreadable{&playlists.Error{Code: playlists.Invalid, Field: p.field, Value: x.ID,
					Key: "unreadable", Args: []any{f.Text, f.Remedy, playlists.Phrase{Key: "override-in-body"}}}}
			}
		}
		stands = append(stands, k)
	}
	l.Stands = stands
	return nil
}
