package cli

import (
	"cmp"
	"image/color"
	"slices"
)

// mostFrequent returns the n most frequent colours, in an order that does not depend
// on the map's.
func mostFrequent(count map[color.RGBA]int, n int) color.Palette {
	all := make([]color.RGBA, 0, len(count))
	for k := range count {
		all = append(all, k)
	}
	value := func(k color.RGBA) int { return int(k.R)<<16 | int(k.G)<<8 | int(k.B) }
	slices.SortFunc(all, func(a, b color.RGBA) int {
		if c := cmp.Compare(count[b], count[a]); c != 0 {
			return c
		}
		return cmp.Compare(value(a), value(b))
	})
	var p color.Palette
	for _, k := range all[:min(n, len(all))] {
		p = append(p, k)
	}
	return p
}
