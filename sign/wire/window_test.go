package wire

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	w := NewWindow(3, 100*time.Millisecond)
	for i, c := range []struct {
		at    int
		fits  bool
		after int // ms until the next one fits, once this one was counted
	}{
		{0, true, 0}, {10, true, 0}, {20, true, 80}, {20, false, 80}, {99, false, 1}, // the fourth within 100 ms
		{100, true, 10}, {109, false, 1}, {110, true, 10}, {300, true, 0}, {300, true, 0}, {301, true, 99}, {399, false, 1},
		{400, true, 0},
	} {
		if got := w.Take(at(c.at)); got != c.fits {
			t.Errorf("event %d at %d ms: %v", i, c.at, got)
		}
		if got := w.Wait(at(c.at)); got != time.Duration(c.after)*time.Millisecond {
			t.Errorf("after event %d at %d ms the next fits in %v, want %d ms", i, c.at, got, c.after)
		}
	}
	// One a second never fills it: nine of them are within the last 10 s, and eleven more fit.
	f := FloodWindow()
	for i := range 100 {
		if !f.Take(at(i * 1000)) {
			t.Fatalf("one a second: message %d is dropped", i)
		}
	}
	n := 0
	for f.Take(at(100_000)) {
		n++
	}
	if n != 11 {
		t.Errorf("%d more fit after one a second, want 11", n)
	}
	f = FloodWindow()
	for i := range 25 {
		if got := f.Take(at(i)); got != (i < 20) {
			t.Errorf("message %d of a flood: %v", i+1, got)
		}
	}
	if f.Take(at(9999)) || !f.Take(at(10_000)) {
		t.Error("the first of a flood leaves the window after 10 s")
	}
}
