package sqldb

import (
	"fmt"
	"iter"
	"strings"
)

// batches splits n rows into batches [from, until) of at most size rows. No batch has two rows with the same key,
// because ON CONFLICT DO UPDATE cannot change a row twice in one statement.
func batches[K comparable](n, size int, key func(i int) K) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		from, seen := 0, map[K]bool{}
		for i := range n {
			k := key(i)
			if i-from == size || seen[k] {
				if !yield(from, i) {
					return
				}
				from = i
				clear(seen)
			}
			seen[k] = true
		}
		if from < n {
			yield(from, n)
		}
	}
}

// values returns a VALUES list with numbered parameters. types are the columns' SQL types, or "" for no CAST.
// PostgreSQL needs the types where the values are compared and not inserted.
func values(rows int, types ...string) string {
	var b strings.Builder
	b.WriteString("VALUES ")
	n := 0
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		for i, t := range types {
			b.WriteByte("(,"[min(i, 1)])
			n++
			if t == "" {
				fmt.Fprintf(&b, "$%d", n)
			} else {
				fmt.Fprintf(&b, "CAST($%d AS %s)", n, t)
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}
