package playlists

import "testing"

func FuzzDay(f *testing.F) {
	for _, s := range []string{"2021-02-11", "2020-02-29", "2021-02-29", "1970-01-01", "2199-12-31", "", "2021-2-1",
		"２０２１-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := ParseDay(s)
		if !ok {
			return
		}
		if d.String() != s {
			t.Fatalf("%q is read as %s", s, d)
		}
		if next, ok := ParseDay((d + 1).String()); ok && (next != d+1 || next.Weekday() != (d.Weekday()+1)%7) {
			t.Fatalf("the day after %s is %s", d, next)
		}
	})
}
