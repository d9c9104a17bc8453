package playlists

import (
	"cmp"
	"fmt"
	"time"
)

// Place is where a sign stands, for the sun's rising and setting there.
type Place struct {
	Lat float64 `yaml:"lat" json:"lat"` // degrees north
	Lon float64 `yaml:"lon" json:"lon"` // degrees east
}

// Light is how bright a sign may be, in percent of full. 0 means the default.
type Light struct {
	Day   int64 `yaml:"day,omitempty" json:"day,omitempty"`     // from sunrise to sunset; default 100
	Night int64 `yaml:"night,omitempty" json:"night,omitempty"` // default 40: by night full brightness dazzles
	// Power is the average picture level, in percent, that the sign's supply
	// carries at full brightness; brighter content is dimmed to keep it.
	Power int64 `yaml:"power,omitempty" json:"power,omitempty"`
}

// Defaults of a Light, and where a sign without a zone stands.
const (
	DayPercent   = 100
	NightPercent = 40
	// Of an urgent message, at least: its owner cannot dim it.
	AlertFloorDay   = 40
	AlertFloorNight = 15
	DefaultZone     = "Asia/Ho_Chi_Minh"
)

// Floor is the least brightness of a live urgent message, in percent of full. 0 means the next wider setting.
type Floor struct {
	Day   int64 `yaml:"day,omitempty" json:"day,omitempty"`
	Night int64 `yaml:"night,omitempty" json:"night,omitempty"`
}

// AlertFloors are the floors that the department has set. That of a sign goes before that of its class, and both before
// that of all signs.
type AlertFloors struct {
	Day     int64            `yaml:"day,omitempty" json:"day,omitempty"`         // of all signs; default AlertFloorDay
	Night   int64            `yaml:"night,omitempty" json:"night,omitempty"`     // default AlertFloorNight
	Classes map[string]Floor `yaml:"classes,omitempty" json:"classes,omitempty"` // by class, e.g. "128x64-rgb"
	Signs   map[string]Floor `yaml:"signs,omitempty" json:"signs,omitempty"`     // by sign
}

// For returns the floor of a sign. f may be nil.
func (f *AlertFloors) For(s *Sign) Floor {
	out := Floor{AlertFloorDay, AlertFloorNight}
	if f == nil {
		return out
	}
	for _, x := range []Floor{{f.Day, f.Night}, f.Classes[s.Class.String()], f.Signs[s.ID]} {
		out.Day, out.Night = cmp.Or(x.Day, out.Day), cmp.Or(x.Night, out.Night)
	}
	return out
}

func (f *AlertFloors) validate(where string) error {
	check := func(where string, x Floor) error {
		for name, n := range map[string]int64{"day": x.Day, "night": x.Night} {
			if n < 0 || n > 100 {
				return &Error{Code: Invalid, Field: where + "." + name, Value: fmt.Sprint(n), Key: "light-out-of-range"}
			}
		}
		return nil
	}
	if err := check(where, Floor{f.Day, f.Night}); err != nil {
		return err
	}
	for class, x := range f.Classes {
		if _, err := ParseClass(class); err != nil {
			return err
		}
		if err := check(where+".classes."+class, x); err != nil {
			return err
		}
	}
	for sign, x := range f.Signs {
		if err := CheckSlug(where+".signs", sign); err != nil {
			return err
		}
		if err := check(where+".signs."+sign, x); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sign) checkLight(where string) error {
	if s.Position != nil {
		if err := s.Position.check(where + ".position"); err != nil {
			return err
		}
	}
	if _, err := s.Zone(); err != nil {
		e := *err.(*Error)
		e.Field = where + "." + e.Field
		return &e
	}
	if s.Light == nil {
		return nil
	}
	for _, x := range []struct {
		name string
		n    int64
	}{{"day", s.Light.Day}, {"night", s.Light.Night}, {"power", s.Light.Power}} {
		if x.n < 0 || x.n > 100 {
			return &Error{Code: Invalid, Field: where + ".light." + x.name, Value: fmt.Sprint(x.n),
				Key: "light-out-of-range"}
		}
	}
	return nil
}

// Zone is the sign's time zone. Its error is an *Error of code Invalid for the
// field time_zone.
func (s *Sign) Zone() (*time.Location, error) {
	zone, err := time.LoadLocation(cmp.Or(s.TimeZone, DefaultZone))
	if err != nil {
		return nil, &Error{Code: Invalid, Field: "time_zone", Value: s.TimeZone,
			Key: "time-zone-unknown"}
	}
	return zone, nil
}
