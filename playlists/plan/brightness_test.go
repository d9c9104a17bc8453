package plan

import (
	"errors"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

func quangNgai() *playlists.Sign {
	return &playlists.Sign{ID: "qn-001", Position: &playlists.Place{Lat: 15.12, Lon: 108.80},
		Light: &playlists.Light{Night: 30}}
}

func percentAt(t *testing.T, b []timeline.Brightness, at time.Time) int64 {
	t.Helper()
	p := &timeline.Program{Brightness: b, Fallback: timeline.Dark}
	return timeline.At(p, nil, timeline.Conditions{}, at.UnixMilli()).Percent
}

func TestBrightnessFollowsTheSun(t *testing.T) {
	zone := time.FixedZone("+07", 7*3600)
	day := func(h, m int) time.Time { return time.Date(2021, 1, 30, h, m, 0, 0, zone) }
	b, err := Brightness(quangNgai(), 0, day(9, 0).Unix(), day(9, 0).AddDate(0, 0, 8).Unix())
	if err != nil {
		t.Fatal(err)
	}
	// Sunrise in Quảng Ngãi on that day is at about 06:10, sunset at 17:42.
	for _, c := range []struct {
		h, m int
		want int64
	}{{0, 0, 30}, {6, 0, 30}, {6, 25, 100}, {12, 0, 100}, {17, 30, 100}, {18, 0, 30}, {23, 59, 30}} {
		for d := range 8 {
			if got := percentAt(t, b, day(c.h, c.m).AddDate(0, 0, d)); got != c.want {
				t.Errorf("%02d:%02d, day %d: %d %%, want %d", c.h, c.m, d, got, c.want)
			}
		}
	}
	for i := 1; i < len(b); i++ {
		if b[i].From != b[i-1].Until {
			t.Errorf("a gap or an overlap at %d", b[i].From)
		}
	}
}

func TestBrightnessKeepsThePower(t *testing.T) {
	from := time.Date(2021, 1, 30, 5, 0, 0, 0, time.UTC)
	s := quangNgai()
	s.Light.Power = 40
	for _, c := range []struct {
		level float64
		want  int64
	}{{0, 100}, {0.4, 100}, {0.8, 50}, {1, 40}} {
		b, err := Brightness(s, c.level, from.Unix(), from.Unix()+1)
		if err != nil {
			t.Fatal(err)
		}
		if got := percentAt(t, b, from); got != c.want {
			t.Errorf("level %v: %d %%, want %d", c.level, got, c.want)
		}
	}
}

// Midnight sun and polar night have no sunrise.
func TestBrightnessWhereTheSunStays(t *testing.T) {
	for _, c := range []struct {
		lat  float64
		at   time.Time
		want int64
	}{
		{78, time.Date(2021, 6, 21, 23, 0, 0, 0, time.UTC), 100},
		{78, time.Date(2021, 12, 21, 12, 0, 0, 0, time.UTC), 40},
	} {
		s := &playlists.Sign{Position: &playlists.Place{Lat: c.lat, Lon: 15}, TimeZone: "Arctic/Longyearbyen"}
		b, err := Brightness(s, 0, c.at.Unix(), c.at.Unix()+86400)
		if err != nil {
			t.Fatal(err)
		}
		if got := percentAt(t, b, c.at); got != c.want {
			t.Errorf("at %v: %d %%, want %d", c.at, got, c.want)
		}
	}
	if b, err := Brightness(&playlists.Sign{}, 0, 0, 86400); b != nil || err != nil {
		t.Errorf("without a position: %v, %v", b, err)
	}
}

// On days of 23 and 25 hours there is no gap and no overlap.
func TestBrightnessOverDaylightSaving(t *testing.T) {
	s := &playlists.Sign{Position: &playlists.Place{Lat: 52.5, Lon: 13.4}, TimeZone: "Europe/Berlin"}
	for _, month := range []time.Month{time.March, time.October} {
		from := time.Date(2021, month, 25, 0, 0, 0, 0, time.UTC)
		b, err := Brightness(s, 0, from.Unix(), from.AddDate(0, 0, 8).Unix())
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(b); i++ {
			if b[i].From != b[i-1].Until {
				t.Errorf("%v: a gap or an overlap at %d", month, b[i].From)
			}
		}
	}
}

// The owner cannot lower the brightness of an alert below the floor, but the cap of the power supply can.
func TestAlertFloor(t *testing.T) {
	standard := (*playlists.AlertFloors)(nil).For(&playlists.Sign{})
	at := time.Date(2021, 1, 30, 0, 0, 0, 0, time.UTC).Unix()
	for _, c := range []struct {
		light *playlists.Light
		level float64
		want  int64
	}{
		{nil, 0.2, playlists.AlertFloorDay},
		{&playlists.Light{Day: 1, Night: 1}, 0.2, playlists.AlertFloorDay},
		{&playlists.Light{Day: 1, Night: 1, Power: 10}, 0.2, 20},
		{&playlists.Light{Power: 10}, 1, 10},
	} {
		got, err := AlertFloor(&playlists.Sign{ID: "s", Light: c.light}, standard, c.level, at, at+86400)
		if err != nil || len(got) != 1 || got[0].Percent != c.want {
			t.Errorf("%+v at level %v: %v, %v; want %d", c.light, c.level, got, err, c.want)
		}
	}
	s := &playlists.Sign{ID: "s", Position: &playlists.Place{Lat: 15.12, Lon: 108.8}}
	night, err := AlertFloor(s, standard, 0.2, at, at+86400)
	if err != nil || len(night) < 3 || night[0].Percent != playlists.AlertFloorNight {
		t.Errorf("with a position: %v, %v", night, err)
	}
}

// The department sets floors for all signs, a class or a sign. The narrowest holds, by day and by night apart.
func TestAlertFloors(t *testing.T) {
	f := &playlists.AlertFloors{Day: 50, Classes: map[string]playlists.Floor{"128x64-rgb": {Day: 60, Night: 20}},
		Signs: map[string]playlists.Floor{"s": {Night: 30}}}
	class, err := playlists.ParseClass("128x64-rgb")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sign playlists.Sign
		want playlists.Floor
	}{
		{playlists.Sign{ID: "x"}, playlists.Floor{Day: 50, Night: playlists.AlertFloorNight}},
		{playlists.Sign{ID: "x", Class: class}, playlists.Floor{Day: 60, Night: 20}},
		{playlists.Sign{ID: "s", Class: class}, playlists.Floor{Day: 60, Night: 30}},
		{playlists.Sign{ID: "s"}, playlists.Floor{Day: 50, Night: 30}},
	} {
		if got := f.For(&c.sign); got != c.want {
			t.Errorf("%s %s: %+v, want %+v", c.sign.ID, c.sign.Class, got, c.want)
		}
	}
	s := testSign()
	plain := NewPlanner(newContent(testLists()...), Rulebook{})
	set := NewPlanner(newContent(testLists()...), Rulebook{Floors: &playlists.AlertFloors{Day: 77}})
	d1, err1 := plain.Digest(s)
	d2, err2 := set.Digest(s)
	p, err3 := set.Plan(s, testFrom, testFrom+86400, Limits{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if d1 == d2 || p.Program.AlertFloor[0].Percent != 77 {
		t.Errorf("digests equal: %t, floor %+v", d1 == d2, p.Program.AlertFloor)
	}
}
