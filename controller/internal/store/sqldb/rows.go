package sqldb

import (
	"fmt"
	"iter"
	"strings"
)

// runs cuts n rows into runs [from, until) of at most so many, none of which has
// a key twice: one statement cannot change one row twice.
func runs[K comparable](n, most int, key func(i int) K) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		from, seen := 0, map[K]bool{}
		for i := range n {
			k := key(i)
			if i-from == most || seen[k] {
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

// values is a VALUES list of so many rows with numbered parameters. PostgreSQL
// needs their types where they are compared and not inserted; "" is none.
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
