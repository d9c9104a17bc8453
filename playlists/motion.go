package playlists

// Motion says what may move on a face.
type Motion int

const (
	Scrolls  Motion = iota // long texts may scroll
	Stills                 // long texts become pages: the sign's rules forbid scrolling
	Pictures               // as Stills, and no two pictures within 500 ms: a picture sign takes no more
)

// Motion is what may move on the sign.
func (s *Sign) Motion() Motion {
	switch {
	case s.Picture():
		return Pictures
	case s.Rules != nil && s.Rules.NoScroll:
		return Stills
	}
	return Scrolls
}
