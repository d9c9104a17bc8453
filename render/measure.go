package render

// run is a text measured in one family: everything about it that does not
// depend on the size.
type run struct {
	fam   *family
	words []word
	ids   [][]uint16 // letters by word
	wide  []int32    // advance of each word, units
	ink   []box      // ink of each word from its own pen, units
	space int32
}

// measure looks the words' letters up in fam; the caller knows that it has
// them all.
func (f *family) measure(words []word) *run {
	r := &run{fam: f, words: words, ids: make([][]uint16, len(words)), wide: make([]int32, len(words)),
		ink: make([]box, len(words)), space: f.adv[f.id[' ']]}
	n := 0
	for _, w := range words {
		n += len(w.s)
	}
	all := make([]uint16, 0, n)
	for i, w := range words {
		start := len(all)
		var pen int32
		b := box{x0: 1 << 30, y0: 1 << 30, x1: -1 << 30, y1: -1 << 30}
		for _, c := range w.s {
			id := f.id[c]
			if len(all) > start {
				pen += f.kernUnits(all[len(all)-1], id)
			}
			all = append(all, id)
			g := f.box[id]
			b.x0, b.x1 = min(b.x0, pen+g.x0), max(b.x1, pen+g.x1)
			b.y0, b.y1 = min(b.y0, g.y0), max(b.y1, g.y1)
			pen += f.adv[id]
		}
		r.ids[i], r.wide[i], r.ink[i] = all[start:len(all):len(all)], pen, b
	}
	return r
}

// span is the words [from, to) on one line.
type span struct{ from, to int }

// inkOf is the ink of a line from its pen, units.
func (r *run) inkOf(s span) box {
	b := box{x0: 1 << 30, y0: 1 << 30, x1: -1 << 30, y1: -1 << 30}
	var pen int32
	for i := s.from; i < s.to; i++ {
		k := r.ink[i]
		b.x0, b.x1 = min(b.x0, pen+k.x0), max(b.x1, pen+k.x1)
		b.y0, b.y1 = min(b.y0, k.y0), max(b.y1, k.y1)
		pen += r.wide[i]
		if r.words[i].spaced {
			pen += r.space
		}
	}
	return b
}

// px converts units to pixels at an em, rounded away from zero: never less
// room than the ink takes.
func (r *run) px(u int32, em int) int {
	n := int(u) * em
	if n >= 0 {
		return (n + r.fam.units - 1) / r.fam.units
	}
	return -((-n + r.fam.units - 1) / r.fam.units)
}
