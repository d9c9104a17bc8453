package render

// run is a text measured in one family, independent of the size.
type run struct {
	fam     *family
	words   []word
	letters []letter // of all words
	first   []int32  // by word, its first letter; one more at the end
	wide    []int32  // advance of each word, units
	ink     []box    // ink of each word from its own pen, units
	space   int32
	cells   []cell // of wrap, kept between its calls
}

// letter is one letter of a word.
type letter struct {
	id  uint16
	pen int32 // from the word's pen, kerning in, units
}

// measure measures words in fam, which must have all of their letters.
func (f *family) measure(words []word) *run {
	r := &run{fam: f, words: words, first: make([]int32, len(words)+1), wide: make([]int32, len(words)),
		ink: make([]box, len(words)), space: f.adv[f.id[' ']]}
	n := 0
	for _, w := range words {
		n += len(w.s)
	}
	r.letters = make([]letter, 0, n)
	for i, w := range words {
		var pen int32
		var last uint16
		b := nothing
		for _, c := range w.s {
			id := f.id[c]
			if last != 0 {
				pen += f.kernUnits(last, id)
			}
			last = id
			r.letters = append(r.letters, letter{id, pen})
			b.add(f.box[id], pen)
			pen += f.adv[id]
		}
		r.wide[i], r.ink[i], r.first[i+1] = pen, b, int32(len(r.letters))
	}
	return r
}

// nothing is the ink of an empty text.
var nothing = box{x0: 1 << 30, y0: 1 << 30, x1: -1 << 30, y1: -1 << 30}

// add grows the box by another that is dx to the right.
func (b *box) add(k box, dx int32) {
	b.x0, b.x1 = min(b.x0, dx+k.x0), max(b.x1, dx+k.x1)
	b.y0, b.y1 = min(b.y0, k.y0), max(b.y1, k.y1)
}

// span is the words [from, to) on one line.
type span struct{ from, to int }

// inkOf returns the ink of a line, from its pen, in units.
func (r *run) inkOf(s span) box {
	b := nothing
	var pen int32
	for i := s.from; i < s.to; i++ {
		b.add(r.ink[i], pen)
		pen += r.step(i)
	}
	return b
}

// step returns the advance of word i and the space after it.
func (r *run) step(i int) int32 {
	if r.words[i].spaced {
		return r.wide[i] + r.space
	}
	return r.wide[i]
}

// px converts units to pixels at an em. It rounds away from zero, so that the ink
// always has room.
func (r *run) px(u int32, em int) int {
	n := int(u) * em
	if n >= 0 {
		return (n + r.fam.units - 1) / r.fam.units
	}
	return -((-n + r.fam.units - 1) / r.fam.units)
}

// cursor iterates over the letters of a line.
type cursor struct {
	r      *run
	word   int
	to     int
	letter int32
	pen    int32
}

func (r *run) walk(s span, dx int32) cursor {
	return cursor{r: r, word: s.from, to: s.to, letter: r.first[s.from], pen: dx}
}

// ink returns the ink of the current letter; ok is false after the end of the line.
func (c *cursor) ink() (b box, ok bool) {
	for c.word < c.to && c.letter == c.r.first[c.word+1] {
		c.pen += c.r.step(c.word)
		c.word++
	}
	if c.word == c.to {
		return box{}, false
	}
	l := c.r.letters[c.letter]
	g := c.r.fam.box[l.id]
	x := c.pen + l.pen
	return box{x + g.x0, g.y0, x + g.x1, g.y1}, true
}

// between returns the least distance between the baselines of two centred lines at
// which ink of b does not touch ink of a. Only letters above one another count: a
// tail beside a stacked mark needs no extra room.
func (r *run) between(a, b span, em int) int {
	ia, ib := r.inkOf(a), r.inkOf(b)
	// Both lines are centred by their ink, so their middles coincide.
	shift := (ia.x0 + ia.x1 - ib.x0 - ib.x1) / 2
	near := int32(r.fam.units / em) // one pixel
	var need int32
	from := r.walk(b, shift)
	for ca := r.walk(a, 0); ; ca.letter++ {
		p, ok := ca.ink()
		if !ok {
			break
		}
		for {
			q, ok := from.ink()
			if !ok || q.x1+near >= p.x0 {
				break
			}
			from.letter++
		}
		for cb := from; ; cb.letter++ {
			q, ok := cb.ink()
			if !ok || q.x0-near > p.x1 {
				break
			}
			need = max(need, p.y1-q.y0)
		}
	}
	return r.px(need, em)
}
