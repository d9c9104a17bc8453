package playlists

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Owner is a company, or the department ("public").
type Owner struct {
	ID   string `yaml:"id" json:"id"`
	Name string `yaml:"name" json:"name"` // as people write it, e.g. "Công ty Quảng cáo Sông Trà"
	// whom the department calls about a sign that names nobody
	Phone string `yaml:"phone,omitempty" json:"phone,omitempty"`
	// How many signs and classes the owner may have; 0 for DefaultSigns and DefaultClasses. More wait for the department.
	MaxSigns   int `yaml:"max_signs,omitempty" json:"max_signs,omitempty"`
	MaxClasses int `yaml:"max_classes,omitempty" json:"max_classes,omitempty"`
	// of the department only: how bright urgent messages are at least
	AlertFloor *AlertFloors `yaml:"alert_floor,omitempty" json:"alert_floor,omitempty"`
}

// How many signs and classes an owner may have by default, and at most.
const (
	DefaultSigns   = 500
	DefaultClasses = 100
	MostSigns      = 100_000
)

// Validate returns an *Error of code Invalid for a name that cannot be used.
func (o *Owner) Validate() error {
	if err := CheckSlug("owners/id", o.ID); err != nil {
		return err
	}
	if err := checkName("owners/"+o.ID, o.Name); err != nil {
		return err
	}
	if blank(o.Name) {
		return &Error{Code: Invalid, Field: "owners/" + o.ID + ".name", Key: "owner-name-missing"}
	}
	for _, x := range []struct {
		name string
		n    int
	}{{"max_signs", o.MaxSigns}, {"max_classes", o.MaxClasses}} {
		if x.n < 0 || x.n > MostSigns {
			return &Error{Code: Invalid, Field: "owners/" + o.ID + "." + x.name, Value: fmt.Sprint(x.n),
				Key: "owner-limit-out-of-range", Args: []any{MostSigns}}
		}
	}
	if o.AlertFloor != nil && o.ID != Public {
		return &Error{Code: Invalid, Field: "owners/" + o.ID + ".alert_floor", Key: "alert-floor-not-department"}
	}
	if o.AlertFloor != nil {
		if err := o.AlertFloor.validate("owners/" + o.ID + ".alert_floor"); err != nil {
			return err
		}
	}
	return checkPhone("owners/"+o.ID+".phone", o.Phone)
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
	// the owner's, or "public/<id>"; "" is the default rotation
	Playlist string `yaml:"playlist,omitempty" json:"playlist,omitempty"`
	// from LED to LED, millimetres; 0 is unknown
	Pitch float64 `yaml:"pitch_mm,omitempty" json:"pitch_mm,omitempty"`
	// from which it is read, metres; 0 is unknown
	Distance float64 `yaml:"distance_m,omitempty" json:"distance_m,omitempty"`
	Rules    *Rules  `yaml:"rules,omitempty" json:"rules,omitempty"`
	Phone    string  `yaml:"phone,omitempty" json:"phone,omitempty"` // whom to call when it does not show what it should
	// After so many hours without the broker the sign leaves its schedules for the rotation; 0: at its program's end.
	CommLossH int64    `yaml:"comm_loss_h,omitempty" json:"comm_loss_h,omitempty"`
	Tags      []string `yaml:"tags,omitempty" json:"tags,omitempty"` // the owner's own grouping; schedules may name them
	// Alerts is how the sign counts for urgent messages. Only the department changes it.
	Alerts SignAlerts `yaml:"alerts,omitempty" json:"alerts,omitempty"`
	// OutOfService says why the company has taken the sign out of service; ""
	// while it is in service. It is still told everything, and nobody counts on it.
	OutOfService string `yaml:"out_of_service,omitempty" json:"out_of_service,omitempty"`
}

// SignAlerts is how a sign counts for urgent messages.
type SignAlerts string

const (
	AlertsCounted  SignAlerts = ""         // the department has looked at the sign; it counts
	AlertsNew      SignAlerts = "new"      // it shows alerts; it is counted apart until the department has looked
	AlertsExcluded SignAlerts = "excluded" // no alert is drawn for it, and nobody waits for it
	// AlertsWaiting is a sign beyond what its owner may have. It gets neither program nor alerts until the department
	// decides.
	AlertsWaiting SignAlerts = "waiting"
)

// Rules are what a face may not do, by its permit or its place.
type Rules struct {
	// nothing moves: long texts become pages
	NoScroll bool `yaml:"no_scroll,omitempty" json:"no_scroll,omitempty"`
	// hours in which the face is dark, but for alerts
	Off          []Window `yaml:"off,omitempty" json:"off,omitempty"`
	LeastDwellMS int64    `yaml:"least_dwell_ms,omitempty" json:"least_dwell_ms,omitempty"` // no item shows for less
}

// DarkAt reports whether the sign's rules make the face dark at t, in its time zone.
func (s *Sign) DarkAt(t time.Time) bool {
	if s.Rules == nil {
		return false
	}
	zone, err := time.LoadLocation(cmp.Or(s.TimeZone, DefaultZone))
	if err != nil {
		return false // a sign whose zone is not known has no hours
	}
	for i := range s.Rules.Off {
		if s.Rules.Off[i].covers(t.In(zone)) {
			return true
		}
	}
	return false
}

// Limits of a sign's fields.
const (
	MaxTags   = 16
	MaxOff    = 16
	MaxReason = 200 // runes

	MaxCommLossH = 8 * 24 // a program's life
)

func (s *Sign) checkFace(where string) error {
	for _, x := range []struct {
		name  string
		value float64
		most  float64
	}{{"pitch_mm", s.Pitch, 1000}, {"distance_m", s.Distance, 10000}} {
		if !(x.value >= 0 && x.value <= x.most) { // NaN too
			return &Error{Code: Invalid, Field: where + "." + x.name, Value: fmt.Sprint(x.value),
				Key: "measure-out-of-range", Args: []any{x.most}}
		}
	}
	if r := s.Rules; r != nil {
		if r.LeastDwellMS < 0 || r.LeastDwellMS > MaxDwellMS {
			return &Error{Code: Invalid, Field: where + ".rules.least_dwell_ms", Value: fmt.Sprint(r.LeastDwellMS),
				Key: "least-dwell-out-of-range", Args: []any{MaxDwellMS}}
		}
		if len(r.Off) > MaxOff {
			return &Error{Code: TooLarge, Field: where + ".rules.off",
				Key: "too-many-windows", Args: []any{len(r.Off), MaxOff}}
		}
		for i := range r.Off {
			field := fmt.Sprintf("%s.rules.off[%d]", where, i)
			if err := r.Off[i].Validate(field); err != nil {
				return err
			}
			for k := range i {
				if r.Off[i].Overlaps(&r.Off[k]) {
					return &Error{Code: Invalid, Field: field, Value: r.Off[i].text(),
						Key: "windows-overlap", Args: []any{k, r.Off[k].text()}}
				}
			}
		}
	}
	if s.CommLossH < 0 || s.CommLossH > MaxCommLossH {
		return &Error{Code: Invalid, Field: where + ".comm_loss_h", Value: fmt.Sprint(s.CommLossH),
			Key: "comm-loss-out-of-range", Args: []any{MaxCommLossH}}
	}
	if len(s.Tags) > MaxTags {
		return &Error{Code: TooLarge, Field: where + ".tags", Key: "too-many-tags", Args: []any{len(s.Tags), MaxTags}}
	}
	for i, t := range s.Tags {
		if err := CheckSlug(fmt.Sprintf("%s.tags[%d]", where, i), t); err != nil {
			return err
		}
	}
	if n := utf8.RuneCountInString(s.OutOfService); n > MaxReason {
		return &Error{Code: TooLarge, Field: where + ".out_of_service", Key: "text-too-long", Args: []any{n, MaxReason}}
	}
	return checkPhone(where+".phone", s.Phone)
}

// phone is digits with what people write between them.
var phone = regexp.MustCompile(`^\+?[0-9][0-9 .()-]{1,28}[0-9]$`)

func checkPhone(field, s string) error {
	if s == "" || phone.MatchString(s) {
		return nil
	}
	return &Error{Code: Invalid, Field: field, Value: s, Key: "phone-malformed"}
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
		return &Error{Code: Invalid, Field: "signs/id", Value: s.ID, Key: "sign-name-reserved"}
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
		return &Error{Code: Invalid, Field: where + ".mode", Value: string(s.Mode), Key: "sign-mode-unknown"}
	}
	if len(s.Areas) == 0 || len(s.Areas) > MaxAreas {
		return &Error{Code: Invalid, Field: where + ".areas",
			Key: "areas-count", Args: []any{len(s.Areas), MaxAreas}}
	}
	for i, a := range s.Areas {
		if err := CheckArea(fmt.Sprintf("%s.areas[%d]", where, i), a); err != nil {
			return err
		}
		if slices.Index(s.Areas, a) != i {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.areas[%d]", where, i), Value: a,
				Key: "area-named-twice"}
		}
	}
	switch s.Alerts {
	case AlertsCounted, AlertsNew, AlertsExcluded, AlertsWaiting:
	default:
		return &Error{Code: Invalid, Field: where + ".alerts", Value: string(s.Alerts), Key: "sign-alerts-unknown"}
	}
	if err := checkName(where, s.Name); err != nil {
		return err
	}
	if err := s.checkLight(where); err != nil {
		return err
	}
	return s.checkFace(where)
}

// Picture reports whether the sign only draws what arrives.
func (s *Sign) Picture() bool { return s.Mode == ModePicture }

// Merge returns the sign with the fields of list that belong to these columns
// of a CSV file. Fields without a column keep their values.
func (s *Sign) Merge(list *Sign, columns []string) *Sign {
	out := *s
	for _, c := range columns {
		switch c {
		case "id":
			out.ID = list.ID
		case "owner":
			out.Owner = list.Owner
		case "class":
			out.Class = list.Class
		case "areas":
			out.Areas = list.Areas
		case "name":
			out.Name = list.Name
		case "mode":
			out.Mode = list.Mode
		case "lat", "lon":
			out.Position = list.Position
		case "pitch_mm":
			out.Pitch = list.Pitch
		case "distance_m":
			out.Distance = list.Distance
		case "phone":
			out.Phone = list.Phone
		case "tags":
			out.Tags = list.Tags
		case "playlist":
			out.Playlist = list.Playlist
		}
	}
	return &out
}

// Key implements Thing.
func (o *Owner) Key() Key { return Key{KindOwner, "", o.ID} }

// Of implements Thing.
func (o *Owner) Of() string { return o.ID }

// Complete implements Thing.
func (o *Owner) Complete(_, id string) {
	o.ID = cmp.Or(o.ID, id)
}

// Refs implements Thing: an owner names nothing.
func (o *Owner) Refs() []Ref { return nil }

// Reach implements Thing: an owner acts everywhere.
func (o *Owner) Reach() Reach { return Reach{Everywhere: true} }

// Key implements Thing.
func (s *Sign) Key() Key { return Key{KindSign, "", s.ID} }

// Of implements Thing.
func (s *Sign) Of() string { return s.Owner }

// Complete implements Thing.
func (s *Sign) Complete(_, id string) {
	s.ID = cmp.Or(s.ID, id)
}

// Refs implements Thing: a sign names its owner, its areas and its playlist.
func (s *Sign) Refs() []Ref {
	where := "signs/" + s.ID
	refs := append([]Ref{ownerRef(where, s.Owner)}, areaRefs(where, s.Areas)...)
	if s.Playlist == "" {
		return append(refs, Ref{Key: Key{KindPlaylist, Public, DefaultRotation}, Field: where + ".playlist", Weak: true})
	}
	owner, id := SplitRef(s.Owner, s.Playlist)
	return append(refs, Ref{Key: Key{KindPlaylist, owner, id}, Field: where + ".playlist"})
}

// Reach implements Thing.
func (s *Sign) Reach() Reach {
	return Reach{Areas: s.Areas, AreasField: "signs/" + s.ID + ".areas[%d]"}
}
