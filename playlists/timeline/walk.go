package timeline

import "iter"

// Span is a time in which the face shows the same but for a scroll's position.
type Span struct {
	FromMS, UntilMS int64 // Unix ms; UntilMS is exclusive
	Shown                 // the answer at FromMS
}

// Walk goes along what a sign shows from fromMS until untilMS (Unix ms), span by span and without gaps. The conditions
// hold for all of that time: for a sign that stays in contact, LastContactMS is untilMS. Two spans that follow each
// other may show the same: At may say early that an answer ends.
//
// The conditions of At hold: the program, which may be nil, and the alerts must be valid.
func Walk(p *Program, alerts []Alert, c Conditions, fromMS, untilMS int64) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		for at := fromMS; at < untilMS; {
			s := At(p, alerts, c, at)
			next := min(s.UntilMS, untilMS)
			if !yield(Span{FromMS: at, UntilMS: next, Shown: s}) {
				return
			}
			at = next
		}
	}
}
