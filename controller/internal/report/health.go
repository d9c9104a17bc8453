package report

import (
	"cmp"
	"slices"
	"time"

	"ledcast/playlists"
)

// conditionAt returns the last condition at or before a time, or nil if there is none.
func conditionAt(all []playlists.Condition, atMS int64) *playlists.Condition {
	i, found := slices.BinarySearchFunc(all, atMS,
		func(c playlists.Condition, at int64) int { return cmp.Compare(c.AtMS, at) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Spans merges a sign's conditions with those of the controller itself. While the controller did not listen to
// signs, the state is unknown. Both lists are sorted by time and include the condition that was in force at fromMS.
// After an absence of the controller, the sign's last condition counts as still in force. A sign that has
// disconnected meanwhile has an offline condition from the time of the controller's return.
func Spans(own, watched []playlists.Condition, fromMS, untilMS int64) []playlists.ConditionSpan {
	cuts := []int64{fromMS, untilMS}
	for _, c := range slices.Concat(own, watched) {
		if c.AtMS > fromMS && c.AtMS < untilMS {
			cuts = append(cuts, c.AtMS)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	out := []playlists.ConditionSpan{}
	for i := range len(cuts) - 1 {
		x := playlists.ConditionSpan{FromMS: cuts[i], UntilMS: cuts[i+1], State: playlists.WasUnknown}
		if c, w := conditionAt(own, cuts[i]), conditionAt(watched, cuts[i]); c != nil && w != nil && w.Online {
			if x.State = playlists.WasOffline; c.Online {
				x.State, x.Clock, x.Faults = playlists.WasOnline, c.Clock, c.Faults
			}
		}
		if n := len(out); n > 0 && out[n-1].State == x.State && out[n-1].Clock == x.Clock &&
			slices.Equal(out[n-1].Faults, x.Faults) {
			out[n-1].UntilMS = x.UntilMS
			continue
		}
		out = append(out, x)
	}
	return out
}

// Days adds up spans by day in a time zone.
func Days(spans []playlists.ConditionSpan, zone *time.Location) []playlists.ConditionDay {
	out := []playlists.ConditionDay{}
	for i, x := range spans {
		for at := x.FromMS; at < x.UntilMS; {
			y, m, d := time.UnixMilli(at).In(zone).Date()
			begin, end := time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
			if n := len(out); n == 0 || out[n-1].Day != begin.Format(time.DateOnly) {
				out = append(out, playlists.ConditionDay{Day: begin.Format(time.DateOnly), FromMS: begin.UnixMilli(),
					UntilMS: end.UnixMilli()})
			}
			day := &out[len(out)-1]
			until := min(x.UntilMS, end.UnixMilli())
			ms := until - at
			switch x.State {
			case playlists.WasOnline:
				day.OnlineMS += ms
				if len(x.Faults) > 0 {
					day.FaultyMS += ms
				}
				if x.Clock == "untrusted" {
					day.ClockMS += ms
				}
			case playlists.WasOffline:
				day.OfflineMS += ms
				if at == x.FromMS && i > 0 && spans[i-1].State == playlists.WasOnline {
					day.Outages++
				}
			default:
				day.UnknownMS += ms
			}
			at = until
		}
	}
	return out
}
