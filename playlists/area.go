package playlists

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Area is a place that signs lie in and that alerts and campaigns name.
type Area struct {
	Code string `yaml:"code" json:"code"` // slash path, e.g. "quang-ngai/son-tinh": it covers itself and everything below
	Name string `yaml:"name" json:"name"` // as people write it, e.g. "Huyện Sơn Tịnh"
	// Geocodes are what other systems call it, as NAME=VALUE, e.g. "GSO=527":
	// alerts that arrive as CAP name areas so.
	Geocodes []string `yaml:"geocodes,omitempty" json:"geocodes,omitempty"`
	// Outline is its border as one or more rings, each a list of places; the
	// first and the last place of a ring are joined. Empty where nobody drew it.
	Outline [][]Place `yaml:"outline,omitempty" json:"outline,omitempty"`
	// ReplacedBy is the area that took its place when borders were redrawn. No
	// urgent message names it then, and its signs lie in its successor as well.
	ReplacedBy string `yaml:"replaced_by,omitempty" json:"replaced_by,omitempty"`
}

// Limits of an area.
const (
	MaxOutline  = 5000 // places in all rings
	MaxGeocodes = 20
)

// Validate returns an *Error of code Invalid or TooLarge that names the field.
func (a *Area) Validate() error {
	if err := CheckArea("areas/code", a.Code); err != nil {
		return err
	}
	where := "areas/" + a.Code
	if blank(a.Name) {
		return &Error{Code: Invalid, Field: where + ".name", Key: "area-name-missing"}
	}
	if err := checkName(where, a.Name); err != nil {
		return err
	}
	if len(a.Geocodes) > MaxGeocodes {
		return &Error{Code: TooLarge, Field: where + ".geocodes",
			Key: "too-many-entries", Args: []any{len(a.Geocodes), MaxGeocodes}}
	}
	for i, g := range a.Geocodes {
		if name, value, ok := strings.Cut(g, "="); !ok || blank(name) || blank(value) {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.geocodes[%d]", where, i), Value: g,
				Key: "geocode-malformed"}
		}
	}
	n := 0
	for i, ring := range a.Outline {
		n += len(ring)
		if len(ring) < 3 {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.outline[%d]", where, i),
				Key: "ring-too-short", Args: []any{len(ring)}}
		}
		for k, p := range ring {
			if err := p.check(fmt.Sprintf("%s.outline[%d][%d]", where, i, k)); err != nil {
				return err
			}
		}
	}
	if n > MaxOutline {
		return &Error{Code: TooLarge, Field: where + ".outline", Key: "outline-too-long", Args: []any{n, MaxOutline}}
	}
	if a.ReplacedBy != "" {
		if err := CheckArea(where+".replaced_by", a.ReplacedBy); err != nil {
			return err
		}
		if a.ReplacedBy == a.Code {
			return &Error{Code: Invalid, Field: where + ".replaced_by", Value: a.Code, Key: "replaced-by-itself"}
		}
	}
	return nil
}

// Successions are the areas that took others' places, by the code of those.
type Successions map[string]string

// NewSuccessions reads them off the areas.
func NewSuccessions(areas []*Area) Successions {
	var s Successions
	for _, a := range areas {
		if a.ReplacedBy != "" {
			if s == nil {
				s = Successions{}
			}
			s[a.Code] = a.ReplacedBy
		}
	}
	return s
}

// Extend is the areas with what has taken the place of any of them, or of what
// they lie in: a sign that was put before the borders were redrawn stands in
// the new area, whether or not anybody has put it again.
func (s Successions) Extend(areas []string) []string {
	if len(s) == 0 {
		return areas
	}
	out := slices.Clone(areas)
	for i := 0; i < len(out); i++ { // what is added is looked at, too
		for from, to := range s {
			if Covers(from, out[i]) && !slices.Contains(out, to) {
				out = append(out, to)
			}
		}
	}
	slices.Sort(out[len(areas):]) // a map has no order
	return out
}

// Covers reports whether area code a is b or lies above it, by whole segments.
func Covers(a, b string) bool {
	return b == a || strings.HasPrefix(b, a+"/")
}

func (p Place) check(field string) error {
	if p.Lat < -90 || p.Lat > 90 || p.Lon < -180 || p.Lon > 180 || math.IsNaN(p.Lat) || math.IsNaN(p.Lon) {
		return &Error{Code: Invalid, Field: field, Value: fmt.Sprintf("%v, %v", p.Lat, p.Lon),
			Key: "position-impossible"}
	}
	return nil
}

// Key implements Thing.
func (a *Area) Key() Key { return Key{KindArea, "", a.Code} }

// Of implements Thing.
func (a *Area) Of() string { return Public }

// Complete implements Thing.
func (a *Area) Complete(_, id string) {
	a.Code = cmp.Or(a.Code, id)
}

// Refs implements Thing: an area names those that it lies in, and the one that
// replaced it.
func (a *Area) Refs() []Ref {
	where := "areas/" + a.Code
	var refs []Ref
	for i := range a.Code {
		if a.Code[i] == '/' {
			refs = append(refs, Ref{Key: Key{KindArea, "", a.Code[:i]}, Field: where})
		}
	}
	if a.ReplacedBy != "" {
		refs = append(refs, Ref{Key: Key{KindArea, "", a.ReplacedBy}, Field: where + ".replaced_by"})
	}
	return refs
}

// Reach implements Thing.
func (a *Area) Reach() Reach {
	return Reach{Areas: []string{a.Code}, AreasField: "areas/" + a.Code}
}
