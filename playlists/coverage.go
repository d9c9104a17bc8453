package playlists

import "slices"

// Coverage says how a schedule or an agreement of a sign's owner covers the
// sign. The narrower is the smaller.
type Coverage int

const (
	ByName Coverage = iota // it names the sign
	ByTag                  // it names one of the sign's tags
	ByAll                  // it names neither signs nor tags
	NotCovered
)

// Cover says how a rule of the sign's owner that names these signs and tags
// covers the sign.
func Cover(s *Sign, signs, tags []string) Coverage {
	if slices.Contains(signs, s.ID) {
		return ByName
	}
	for _, t := range s.Tags {
		if slices.Contains(tags, t) {
			return ByTag
		}
	}
	if len(signs)+len(tags) == 0 {
		return ByAll
	}
	return NotCovered
}

// Covers reports whether the schedule is for a sign of its owner's.
func (s *Schedule) Covers(x *Sign) bool { return Cover(x, s.Signs, s.Tags) != NotCovered }

// Covers reports whether the campaign is for the sign: it names the sign, or an
// area that the sign lies in.
func (c *Campaign) Covers(s *Sign) bool {
	if slices.Contains(c.Signs, s.ID) {
		return true
	}
	for _, a := range c.Areas {
		for _, b := range s.Areas {
			if Covers(a, b) {
				return true
			}
		}
	}
	return false
}
