package playlists

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ledcast/playlists/timeline"
)

// share_ms is the first multiple of the alert's length of
// 20 s or more, cycle_ms = share_ms·100/share_percent; without a takeover the
// alert is exclusive to the end.
func TestOnWire(t *testing.T) {
	steps := func(ms ...int64) *Artwork {
		a := &Artwork{Frames: []FrameFile{{Frame: timeline.Frame{SHA256: "f", Owner: Public}}}}
		for _, x := range ms {
			a.Steps = append(a.Steps, timeline.Step{MS: x})
		}
		return a
	}
	for _, c := range []struct {
		ms                      []int64
		takeover                *Takeover
		exclusive, share, cycle int64
	}{
		{[]int64{6000}, nil, 3600, 24000, 24000},
		{[]int64{6000}, &Takeover{600, 50}, 600, 24000, 48000},
		{[]int64{6000, 4000}, &Takeover{0, 25}, 0, 20000, 80000},
		{[]int64{21000}, &Takeover{60, 33}, 60, 21000, 63636},
		{[]int64{19999}, &Takeover{60, 100}, 60, 39998, 39998},
	} {
		a := &Alert{ID: "a1", From: 1000, Until: 4600, Areas: []string{"x"}, Signs: []string{"s1", "s2"},
			Takeover: c.takeover}
		w := a.OnWire(steps(c.ms...), func(s string) bool { return s == "s2" })
		if w.ExclusiveS != c.exclusive || w.ShareMS != c.share || w.CycleMS != c.cycle || fmt.Sprint(w.Signs) != "[s2]" ||
			w.Frames[0].Owner != "" || w.Drill {
			t.Errorf("%v %+v: exclusive %d s, share %d of %d ms, signs %v", c.ms, c.takeover, w.ExclusiveS, w.ShareMS,
				w.CycleMS, w.Signs)
		}
	}
}

func TestMoment(t *testing.T) {
	for text, want := range map[string]int64{"1612000800": 1612000800, `"2021-01-30T17:00:00+07:00"`: 1612000800,
		`"2021-01-30T10:00:00Z"`: 1612000800, "null": 0} {
		var m Moment
		if err := json.Unmarshal([]byte(text), &m); err != nil || int64(m) != want {
			t.Errorf("%s is %d, %v", text, m, err)
		}
	}
	for _, text := range []string{`"2021-01-30T17:00:00"`, `"30m"`, `""`, "1.5", "-1", "true", "{}", "99999999999999"} {
		var m Moment
		var e *Error
		if err := json.Unmarshal([]byte(text), &m); !errors.As(err, &e) && err == nil {
			t.Errorf("%s is taken for %d", text, m)
		}
	}
}

func TestOrderSpan(t *testing.T) {
	const now = 1_700_000_000
	for _, c := range []struct {
		from, until Moment
		says        string
	}{
		{0, now + 86400, ""}, {0, now + 86401, "86401 s"}, {0, now, "0 s before"}, {0, 0, "is missing"},
		{now + 10, now + 10 + 86400, ""}, {now - 100, now - 1, "is over"}, {now - 3600, now + 60, ""},
	} {
		o := AlertOrder{ID: "a1", Text: "x", Areas: []string{"quang-ngai"}, From: c.from, Until: c.until}
		a, err := o.Order(now*1000 + 500)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%d to %d: %v", c.from, c.until, err)
		}
		if err == nil && c.from == 0 && (a.From != now || a.Priority != DefaultPriority ||
			a.Mode != AlertLive || a.State != AlertPending) {
			t.Errorf("%+v", a)
		}
	}
}

func TestCheckClass(t *testing.T) {
	frame := timeline.Frame{SHA256: strings.Repeat("0", 64), Len: 1000}
	many := func(alerts, frames int, size int64, signs int) (out []timeline.Alert) {
		for range alerts {
			a := timeline.Alert{ID: "a1"}
			for range frames {
				f := frame
				f.Len = size
				a.Frames = append(a.Frames, f)
			}
			for i := range signs {
				a.Signs = append(a.Signs, fmt.Sprintf("%048d", i))
			}
			out = append(out, a)
		}
		return out
	}
	for _, c := range []struct {
		set  []timeline.Alert
		says string
	}{
		{many(16, 3, 1000, 0), ""}, {many(17, 1, 1, 0), "17 alerts"}, {many(7, 7, 1, 0), "49 frames"},
		{many(2, 2, 1<<19+1, 0), "2097156 bytes of frames"}, {many(8, 1, 1, 500), "bytes of signed text"},
	} {
		err := CheckClass("128x64-rgb", c.set)
		var e *Error
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &e) || e.Code != TooLarge ||
			!strings.Contains(e.English().Title, c.says)) {
			t.Errorf("want %q: %v", c.says, err)
		}
	}
}

func TestDrillDue(t *testing.T) {
	d := DrillPlan{On: true, Day: "mon", At: "09:00"}
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for now, due := range map[string]string{
		"2021-02-01T09:00:00+07:00": "2021-02-01T09:00:00+07:00", "2021-02-01T08:59:59+07:00": "2021-01-25T09:00:00+07:00",
		"2021-02-01T01:59:59Z": "2021-01-25T09:00:00+07:00", "2021-02-07T23:00:00+07:00": "2021-02-01T09:00:00+07:00",
	} {
		if got := d.Due(at(now)); !got.Equal(at(due)) {
			t.Errorf("at %s it was due at %v, want %s", now, got, due)
		}
		if got := d.Next(at(now)); !got.Equal(at(due).AddDate(0, 0, 7)) {
			t.Errorf("at %s it is next due at %v", now, got)
		}
	}
	if off := (&DrillPlan{Day: "mon", At: "09:00"}); !off.Due(time.Now()).IsZero() || !off.Next(time.Now()).IsZero() {
		t.Error("off, and yet due")
	}
}
