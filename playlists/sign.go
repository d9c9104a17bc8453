package playlists

import (
	"fmt"
	"strings"
)

// Owner is a company, or the department ("public").
type Owner struct {
	ID   string `yaml:"id" json:"id"`
	Name string `yaml:"name" json:"name"` // as people write it, e.g. "Công ty Quảng cáo Sông Trà"
}

// Validate returns an *Error of code Invalid for a name that cannot be used.
func (o *Owner) Validate() error {
	if err := CheckSlug("owners/id", o.ID); err != nil {
		return err
	}
	if blank(o.Name) {
		return &Error{Code: Invalid, Field: "owners/" + o.ID + ".name", Problem: "is missing", Remedy: "write the company's name"}
	}
	return nil
}

// Mode is how a sign gets what it shows.
type Mode string

const (
	ModeProgram Mode = "program" // checks signatures, keeps frames, plays by itself
	ModePicture Mode = "picture" // draws the picture that arrives; unprotected
)

// Sign is one face over a street. Its class never changes: a new face is a
// new sign.
type Sign struct {
	ID       string   `yaml:"id" json:"id"`
	Owner    string   `yaml:"owner" json:"owner"`
	Name     string   `yaml:"name,omitempty" json:"name,omitempty"`
	Class    Class    `yaml:"class" json:"class"`
	Mode     Mode     `yaml:"mode,omitempty" json:"mode,omitempty"` // "" means program
	Test     bool     `yaml:"test,omitempty" json:"test,omitempty"`
	Areas    []string `yaml:"areas" json:"areas"`
	Position *Place   `yaml:"position,omitempty" json:"position,omitempty"`
	TimeZone string   `yaml:"time_zone,omitempty" json:"time_zone,omitempty"` // IANA name; "" means DefaultZone
	Light    *Light   `yaml:"light,omitempty" json:"light,omitempty"`
	Playlist string   `yaml:"playlist,omitempty" json:"playlist,omitempty"` // the owner's, or "public/<id>"; "" is the default rotation
}

// MaxAreas is how many areas one sign may lie in.
const MaxAreas = 16

// ReservedPrefix begins no sign's name: a sign's name is its MQTT client id,
// and these are the controller's.
const ReservedPrefix = "controller"

// Validate returns an *Error of code Invalid that names the field.
func (s *Sign) Validate() error {
	where := "signs/" + s.ID
	if err := CheckSlug("signs/id", s.ID); err != nil {
		return err
	}
	if strings.HasPrefix(s.ID, ReservedPrefix) {
		return &Error{Code: Invalid, Field: "signs/id", Value: s.ID, Problem: "begins as the controller's own name at the broker", Remedy: "choose another name"}
	}
	if err := CheckSlug(where+".owner", s.Owner); err != nil {
		return err
	}
	if err := s.Class.Validate(); err != nil {
		e := *err.(*Error)
		e.Field = where + ".class"
		return &e
	}
	switch s.Mode {
	case "", ModeProgram, ModePicture:
	default:
		return &Error{Code: Invalid, Field: where + ".mode", Value: string(s.Mode), Problem: "is not a mode", Remedy: "use program or picture"}
	}
	if len(s.Areas) == 0 || len(s.Areas) > MaxAreas {
		return &Error{Code: Invalid, Field: where + ".areas",
			Problem: fmt.Sprintf("has %d areas", len(s.Areas)), Remedy: fmt.Sprintf("give 1 to %d areas, e.g. quang-ngai/son-tinh", MaxAreas)}
	}
	for i, a := range s.Areas {
		if err := CheckArea(fmt.Sprintf("%s.areas[%d]", where, i), a); err != nil {
			return err
		}
	}
	return s.checkLight(where)
}

// Picture reports whether the sign only draws what arrives.
func (s *Sign) Picture() bool { return s.Mode == ModePicture }
