package plan

import (
	"time"

	"github.com/nathan-osman/go-sunrise"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Brightness returns a sign's brightness for all days from from to until (Unix
// seconds) in its time zone: the day percentage from sunrise to sunset, otherwise
// the night percentage. Both are capped by the sign's power supply for content of
// average picture level level (0 to 1). Without a position the day percentage
// holds throughout. nil means full brightness.
func Brightness(s *playlists.Sign, level float64, from, until int64) ([]timeline.Brightness, error) {
	day, night := int64(playlists.DayPercent), int64(playlists.NightPercent)
	if l := s.Light; l != nil {
		if l.Day > 0 {
			day = l.Day
		}
		if l.Night > 0 {
			night = l.Night
		}
	}
	out, err := levels(s, level, day, night, from, until)
	if len(out) == 1 && out[0].Percent == 100 {
		return nil, err
	}
	return out, err
}

// AlertFloor returns the lowest brightness of an alert on a sign with this floor, for the same days as Brightness. Only the power
// supply can lower it, not the owner. The picture of an alert may be brighter than the program's, so AlertFloor uses a
// level of at least 0.5.
func AlertFloor(s *playlists.Sign, floor playlists.Floor, level float64, from, until int64) ([]timeline.Brightness,
	error) {
	return levels(s, max(level, 0.5), floor.Day, floor.Night, from, until)
}

// levels returns the day and night percentages over time, capped by the power supply.
func levels(s *playlists.Sign, level float64, day, night, from, until int64) ([]timeline.Brightness, error) {
	zone, err := s.Zone()
	if err != nil {
		return nil, err
	}
	most := int64(100)
	if l := s.Light; l != nil && l.Power > 0 && level*100 > float64(l.Power) {
		most = max(1, int64(float64(l.Power)/level))
	}
	day, night = min(day, most), min(night, most)
	y, m, d := time.Unix(from, 0).In(zone).Date()
	midnight := func(i int) int64 { return time.Date(y, m, d+i, 0, 0, 0, 0, zone).Unix() }
	var out []timeline.Brightness
	add := func(from, until, percent int64) {
		if n := len(out); n > 0 && out[n-1].Percent == percent && out[n-1].Until == from {
			out[n-1].Until = until
		} else if until > from {
			out = append(out, timeline.Brightness{From: from, Until: until, Percent: percent})
		}
	}
	for i := 0; midnight(i) < until; i++ {
		begin, end := midnight(i), midnight(i+1)
		if s.Position == nil {
			add(begin, end, day)
			continue
		}
		noon := time.Date(y, m, d+i, 12, 0, 0, 0, zone)
		rise, set := sunrise.SunriseSunset(s.Position.Lat, s.Position.Lon, noon.Year(), noon.Month(), noon.Day())
		switch {
		case rise.IsZero() && sunrise.Elevation(s.Position.Lat, s.Position.Lon, noon) > 0:
			add(begin, end, day) // the sun does not set
		case rise.IsZero():
			add(begin, end, night) // the sun does not rise
		default:
			up, down := max(begin, rise.Unix()), min(end, set.Unix())
			add(begin, up, night)
			add(up, down, day)
			add(down, end, night)
		}
	}
	return out, nil
}
