package plan

import "slices"

// spread orders plays so that plays of one item are as far apart as possible.
// Item i plays counts[i] times. Its j-th play has the ideal position
// (j+f)/counts[i] with f = (i+½)/len(counts), and plays are sorted by position.
// Items that play once therefore keep the playlist's order.
func spread(counts []int64) []int {
	type play struct {
		item int
		j    int64
	}
	var plays []play
	for i, n := range counts {
		for j := range n {
			plays = append(plays, play{i, j})
		}
	}
	items := int64(len(counts))
	slices.SortStableFunc(plays, func(a, b play) int {
		x := (2*items*a.j + 2*int64(a.item) + 1) * counts[b.item]
		y := (2*items*b.j + 2*int64(b.item) + 1) * counts[a.item]
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return a.item - b.item
	})
	out := make([]int, len(plays))
	for i, p := range plays {
		out[i] = p.item
	}
	return out
}

// separate separates adjacent plays of the same thing, also across the loop's
// end. It moves the later of the two to the nearest place between two other
// things. It stops when there is no such pair or place: a thing with more than
// half of the plays cannot be separated.
func separate[T any](loop []T, same func(a, b T) bool) []T {
	n := len(loop)
	if n < 3 {
		return loop
	}
	at := func(i int) T { return loop[((i%n)+n)%n] }
	stuck := make([]bool, n)
	for range n {
		pair := -1
		for i := range n {
			if !stuck[i] && same(at(i), at(i-1)) {
				pair = i
				break
			}
		}
		if pair < 0 {
			break
		}
		x := loop[pair]
		to := -1 // the new place is between at(to-1) and at(to)
		for d := 1; d < n && to < 0; d++ {
			for _, k := range [2]int{pair + d, pair - d} {
				k = ((k % n) + n) % n
				if k != pair && (k+n-1)%n != pair && !same(at(k), x) && !same(at(k-1), x) {
					to = k
					break
				}
			}
		}
		if to < 0 {
			stuck[pair] = true
			continue
		}
		clear(stuck)
		rest := slices.Delete(slices.Clone(loop), pair, pair+1)
		if to > pair {
			to--
		}
		loop = slices.Insert(rest, to, x)
	}
	return loop
}
