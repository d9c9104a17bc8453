package admission_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/admission"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// artist draws every message as one still of 8 s with capitals of 10 pixels; one
// called "bad-letter" cannot be drawn.
type artist struct{ drawn int }

func (a *artist) Artwork(_ context.Context, m *playlists.Message, c playlists.Class,
	_ playlists.Motion) (*playlists.Artwork, error) {
	a.drawn++
	if m.ID == "bad-letter" || m.Image != nil && m.Image.Media == "bad-picture" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "messages/" + m.ID, Key: "letter-without-glyph"}
	}
	f := playlists.FrameFile{Data: []byte(m.ID), Frame: timeline.Frame{SHA256: fmt.Sprintf("%064x", len(m.ID)),
		Len: 1, Type: "image/png", W: int64(c.W), H: int64(c.H)}}
	return &playlists.Artwork{Frames: []playlists.FrameFile{f}, Steps: []timeline.Step{{MS: 8000}}, CapPx: 10}, nil
}

// others names one area and one owner.
type others struct{ area, owner string }

func (o others) NamesArea(code string) string {
	if code == o.area {
		return "alert lu-1"
	}
	return ""
}

func (o others) NamesOwner(owner string) string {
	if owner == o.owner {
		return "token lan"
	}
	return ""
}

var (
	now     = time.Date(2021, 1, 30, 18, 0, 0, 0, time.UTC)
	admin   = &playlists.Principal{ID: "user:admin", Owner: playlists.Public, Role: playlists.RoleAdmin}
	officer = &playlists.Principal{ID: "user:son", Owner: playlists.Public, Role: playlists.RoleAdmin,
		Areas: []string{"qn/son-tinh"}}
	company = &playlists.Principal{ID: "user:lan", Owner: "viet-ads", Role: playlists.RoleAdmin}
)

func class(s string) playlists.Class {
	c, err := playlists.ParseClass(s)
	if err != nil {
		panic(err) // a constant below is wrong
	}
	return c
}

func message(owner, id string) *playlists.Message {
	return &playlists.Message{ID: id, Owner: owner, Variants: []playlists.Variant{{Lang: "vi", Body: "Thực hiện 5K"}}}
}

func list(owner, id string, messages ...string) *playlists.Playlist {
	l := &playlists.Playlist{ID: id, Owner: owner}
	for _, m := range messages {
		l.Items = append(l.Items, playlists.Item{Message: m})
	}
	return l
}

func sign(id, owner, area, playlist string) *playlists.Sign {
	return &playlists.Sign{ID: id, Owner: owner, Class: class("128x64-rgb"), Areas: []string{"qn/" + area},
		Playlist: playlist}
}

func campaign(id string, change func(*playlists.Campaign)) *playlists.Campaign {
	c := &playlists.Campaign{ID: id, Letter: playlists.Letter{Number: "1", Date: "2021-01-29"}, Messages: []string{"5k"},
		SharePercent: 10,
		Areas:        []string{"qn"}, First: "2021-02-01", Last: "2021-02-28"}
	if change != nil {
		change(c)
	}
	return c
}

// world is an installation: the department, two companies with a sign each, and
// what they show.
func world(more ...playlists.Thing) *playlists.Snapshot {
	things := append([]playlists.Thing{
		&playlists.Owner{ID: playlists.Public, Name: "Sở"}, &playlists.Owner{ID: "viet-ads", Name: "Việt"},
		&playlists.Owner{ID: "song-tra", Name: "Trà"},
		&playlists.User{ID: "admin", Owner: playlists.Public, Role: playlists.RoleAdmin},
		&playlists.Area{Code: "qn", Name: "Quảng Ngãi"}, &playlists.Area{Code: "qn/son-tinh", Name: "Sơn Tịnh"},
		&playlists.Area{Code: "qn/ly-son", Name: "Lý Sơn"},
		&playlists.Area{Code: "qn/old", Name: "Cũ", ReplacedBy: "qn/son-tinh"},
		message(playlists.Public, "5k"), message("viet-ads", "shoes"), message(playlists.Public, "free"),
		list(playlists.Public, "default", "5k"), list("viet-ads", "own", "shoes", "public/5k"),
		sign("va-1", "viet-ads", "son-tinh", "own"), sign("st-1", "song-tra", "ly-son", ""),
		&playlists.Medium{ID: "cho", Owner: "viet-ads", SHA256: "a", Len: 1 << 20},
	}, more...)
	shelves := map[playlists.Kind][]playlists.Kept{}
	for _, t := range things {
		k := t.Key().Kind
		shelves[k] = slices.DeleteFunc(shelves[k], func(x playlists.Kept) bool { return x.Thing.Key() == t.Key() })
		shelves[k] = append(shelves[k], playlists.Kept{Thing: t})
	}
	in := map[playlists.Kind]*playlists.Shelf{}
	for k, all := range shelves {
		in[k] = playlists.NewShelf(all)
	}
	return playlists.NewSnapshot(in, []playlists.PendingChange{{Sign: "va-1", Areas: []string{"qn/ly-son"}}}, nil)
}

func decide(s *playlists.Snapshot, who *playlists.Principal, ch admission.Change) (admission.Decision, error) {
	c := &admission.Checker{Artist: &artist{}, Others: others{area: "qn/ly-son", owner: "song-tra"}}
	if ch.Thing != nil {
		ch.Key = ch.Thing.Key()
	}
	return c.Check(context.Background(), s, who, ch, now)
}

// says reports whether err is an *Error whose text has the words; no words mean
// no error.
func says(err error, words string) bool {
	var e *playlists.Error
	if words == "" || err == nil {
		return words == "" && err == nil
	}
	return errors.As(err, &e) && e.English().Remedy != "" && strings.Contains(e.Error(), words)
}

func TestWhatMayBePut(t *testing.T) {
	far := sign("va-1", "viet-ads", "son-tinh", "own")
	far.Pitch, far.Distance = 10, 100
	picture := message("viet-ads", "with-picture")
	picture.Image = &playlists.Image{Media: "cho"}
	for what, x := range map[string]struct {
		who   *playlists.Principal
		put   playlists.Thing
		words string // of the refusal; "" lets it in
	}{
		// References.
		"a playlist": {company, list("viet-ads", "tet", "shoes", "public/5k"), ""},
		"a message that is not there": {company, list("viet-ads", "tet", "hats"),
			`playlists/tet.items[0].message "hats" does not exist; create it first`},
		"another owner's message": {company, list("viet-ads", "tet", "public/shoes"), "does not exist"},
		"a picture":               {company, picture, ""},
		"a schedule": {company, &playlists.Schedule{ID: "s", Owner: "viet-ads",
			Playlist: "own", Signs: []string{"va-1"}}, ""},
		"another company's sign": {company, &playlists.Schedule{ID: "s", Owner: "viet-ads",
			Playlist: "own", Signs: []string{"st-1"}}, `schedules/s.signs[0] "st-1" is not one of your signs`},
		"a sign that is not there": {company, &playlists.Agreement{ID: "a", Owner: "viet-ads",
			SharePercent: 10, Signs: []string{"no-1"}}, "is not one of your signs"},
		"a campaign": {admin, campaign("c", nil), ""},
		"a campaign's unknown area": {admin, campaign("c", func(c *playlists.Campaign) { c.Areas = []string{"hue"} }),
			`campaigns/c.areas[0] "hue" is not a known area`},
		"a campaign's unknown message": {admin,
			campaign("c", func(c *playlists.Campaign) { c.Messages = []string{"hats"} }), "does not exist"},
		"an area below none": {admin, &playlists.Area{Code: "hue/phu-vang", Name: "Phú Vang"},
			`areas/hue/phu-vang "hue" does not exist`},
		"an area that was replaced": {admin, &playlists.Area{Code: "qn/ly-son", Name: "Lý Sơn", ReplacedBy: "qn/old"},
			"was replaced; use qn/son-tinh"},
		"a sign in what was replaced": {admin, sign("va-2", "viet-ads", "old", ""), ""},
		"a person of nobody": {admin, &playlists.User{ID: "x1", Owner: "hue-ads", Role: playlists.RoleViewer},
			`users/x1.owner "hue-ads" does not exist`},
		"a playlist of nobody's": {admin, sign("va-1", "viet-ads", "son-tinh", "hats"), "signs/va-1.playlist"},
		"another face": {admin, &playlists.Sign{ID: "va-1", Owner: "viet-ads",
			Class: class("64x32-red"), Areas: []string{"qn/son-tinh"}},
			"is not the sign's class 128x64-rgb, which never changes"},
		"another owner": {admin, sign("va-1", "song-tra", "son-tinh", ""), "is taken"},
		"what cannot be drawn": {company, message("viet-ads", "bad-letter"),
			"has no glyph in any of the fonts (on 128x64-rgb)"},
		"what cannot be read from there": {company, far,
			`viet-ads/shoes on va-1" cannot be read on this sign: Capitals are 10 px high`},
		"a schedule that never opens": {company, &playlists.Schedule{ID: "s", Owner: "viet-ads",
			Playlist: "own", First: "2021-02-01", Last: "2021-02-01", Window: playlists.Window{Days: []string{"sun"}}},
			"open on no day"},
		"your own role": {&playlists.Principal{ID: "user:lan", Owner: "viet-ads",
			Role: playlists.RoleAdmin}, &playlists.User{ID: "lan", Owner: "viet-ads", Role: playlists.RoleViewer},
			"is your own account"},
		"the last administrator's areas": {admin, &playlists.User{ID: "admin", Owner: playlists.Public,
			Role: playlists.RoleAdmin, Areas: []string{"qn"}}, "is the last administrator of the department"},
		"a picture beyond the bytes": {company, &playlists.Medium{ID: "film", Owner: "viet-ads",
			Len: admission.MaxMedia}, "MiB of pictures, over the 2048"},
		"another bad picture": {company, &playlists.Medium{ID: "cho", Owner: "viet-ads", SHA256: "b", Len: 1},
			"has no glyph in any of the fonts"},
		"an officer's own sign": {officer, sign("va-1", "viet-ads", "son-tinh", "own"), ""},
		"a sign from elsewhere": {officer, sign("st-1", "song-tra", "son-tinh", ""),
			`signs/st-1.areas[0] "qn/ly-son" is outside the areas that you act in`},
		"a sign to elsewhere": {officer, sign("va-1", "viet-ads", "ly-son", ""),
			`signs/va-1.areas[0] "qn/ly-son" is outside`},
		"a sign in what has a successor": {officer, sign("va-1", "viet-ads", "old", "own"), ""},
		"an officer's area":              {officer, &playlists.Area{Code: "qn/son-tinh/cho", Name: "Chợ"}, ""},
		"an area elsewhere": {officer, &playlists.Area{Code: "qn/ly-son", Name: "Lý Sơn"},
			`areas/qn/ly-son "qn/ly-son" is outside`},
		"an owner, by an officer": {officer, &playlists.Owner{ID: "hue-ads", Name: "Huế"},
			"reaches beyond the areas that you act in"},
		"a campaign everywhere": {officer, campaign("c", nil), `campaigns/c.areas[0] "qn" is outside`},
		"a campaign on a sign elsewhere": {officer,
			campaign("c", func(c *playlists.Campaign) { c.Areas, c.Signs = []string{"qn/son-tinh"}, []string{"st-1"} }),
			`campaigns/c.signs[0] "st-1" is outside`},
		"a message that shows everywhere": {officer, message(playlists.Public, "5k"), "reaches beyond"},
		"a message that nothing shows":    {officer, message(playlists.Public, "free"), ""},
		"the default rotation":            {officer, list(playlists.Public, "default", "5k"), "reaches beyond"},
		"more than an officer may": {officer, &playlists.User{ID: "x1", Owner: playlists.Public,
			Role: playlists.RoleAdmin}, "beyond the areas"},
	} {
		s := world(picture)
		if x.words == "has no glyph in any of the fonts" { // the new picture of a message that shows it
			bad := message("viet-ads", "bad-letter")
			bad.Image = &playlists.Image{Media: "cho"}
			s = world(bad)
		}
		ch := admission.Change{Thing: x.put, Picture: &artist{}}
		if _, err := decide(s, x.who, ch); !says(err, x.words) {
			t.Errorf("%s: %v; want %q", what, err, x.words)
		}
	}
}

func TestWhatMayBeDeleted(t *testing.T) {
	key := func(k playlists.Kind, owner, id string) playlists.Key {
		return playlists.Key{Kind: k, Owner: owner, ID: id}
	}
	s := world(&playlists.Agreement{ID: "a", Owner: "viet-ads", SharePercent: 20},
		campaign("c", func(c *playlists.Campaign) { c.First = "2021-01-01" }),
		&playlists.Area{Code: "qn/empty", Name: "Trống"}, &playlists.Owner{ID: "hue-ads", Name: "Huế"})
	for what, x := range map[string]struct {
		who   *playlists.Principal
		key   playlists.Key
		words string
	}{
		"the department":        {admin, key(playlists.KindOwner, "", playlists.Public), "is the department"},
		"an owner with content": {admin, key(playlists.KindOwner, "", "viet-ads"), "is still used by media cho"},
		"an owner with a sign":  {admin, key(playlists.KindOwner, "", "song-tra"), "is still used by sign st-1"},
		"an owner with nothing": {admin, key(playlists.KindOwner, "", "hue-ads"), ""},
		"an area with areas":    {admin, key(playlists.KindArea, "", "qn"), "is still used by area qn/son-tinh"},
		"an area with a sign":   {admin, key(playlists.KindArea, "", "qn/ly-son"), "is still used by sign st-1"},
		"an area that replaced one": {admin, key(playlists.KindArea, "", "qn/son-tinh"),
			"is still used by area qn/old"},
		"an area that nothing names": {admin, key(playlists.KindArea, "", "qn/empty"), ""},
		"a message in a playlist": {company, key(playlists.KindMessage, "viet-ads", "shoes"),
			"is still used by playlist own"},
		"a message in a campaign": {admin, key(playlists.KindMessage, playlists.Public, "5k"),
			"is still used by playlist"},
		"a playlist of a sign": {company, key(playlists.KindPlaylist, "viet-ads", "own"),
			"is still used by sign va-1"},
		"the default rotation": {admin, key(playlists.KindPlaylist, playlists.Public, "default"),
			"is still used by sign st-1"},
		"an agreement under a campaign": {company, key(playlists.KindAgreement, "viet-ads", "a"),
			"leaves 0 % on sign va-1"},
		"a sign":                           {company, key(playlists.KindSign, "", "va-1"), ""},
		"a sign elsewhere":                 {officer, key(playlists.KindSign, "", "st-1"), "is outside"},
		"the last administrator":           {admin, key(playlists.KindUser, "", "admin"), "is the last administrator"},
		"a message that shows everywhere":  {officer, key(playlists.KindMessage, playlists.Public, "5k"), "reaches beyond"},
		"a message that no playlist shows": {officer, key(playlists.KindMessage, playlists.Public, "free"), ""},
		// the store says NotFound
		"a thing that is not there, at all": {company, key(playlists.KindMessage, "viet-ads", "hats"), ""},
	} {
		if _, err := decide(s, x.who, admission.Change{Key: x.key}); !says(err, x.words) {
			t.Errorf("%s: %v; want %q", what, err, x.words)
		}
	}
	// What no thing names may still be named by a token or an alert.
	c := &admission.Checker{Artist: &artist{}, Others: others{area: "qn/empty", owner: "hue-ads"}}
	for id, words := range map[playlists.Key]string{key(playlists.KindArea, "", "qn/empty"): "alert lu-1",
		key(playlists.KindOwner, "", "hue-ads"): "token lan"} {
		if _, err := c.Check(context.Background(), s, admin, admission.Change{Key: id}, now); !says(err,
			"is still used by "+words) {
			t.Errorf("%v: %v", id, err)
		}
	}
	// So may a change of a sign that waits.
	moved := world(sign("st-1", "song-tra", "son-tinh", ""))
	if _, err := decide(moved, admin, admission.Change{Key: key(playlists.KindArea, "", "qn/ly-son")}); !says(err,
		"is still used by sign va-1") {
		t.Errorf("an area in a waiting change: %v", err)
	}
}

// A company's change of areas, test or mode waits; the rest takes effect.
func TestWhatWaits(t *testing.T) {
	s := world()
	put := sign("va-1", "viet-ads", "ly-son", "own")
	put.Name, put.Test = "Cầu", true
	d, err := decide(s, company, admission.Change{Thing: put})
	if err != nil {
		t.Fatal(err)
	}
	now := d.Thing.(*playlists.Sign)
	if now.Name != "Cầu" || now.Test || now.Areas[0] != "qn/son-tinh" || d.Pending == nil || !d.Pending.Test ||
		d.Pending.Areas[0] != "qn/ly-son" || d.Pending.By != company.ID {
		t.Errorf("%+v waits %+v", now, d.Pending)
	}
	if !put.Test || put.Areas[0] != "qn/ly-son" {
		t.Error("the caller's sign was changed")
	}
	if d, err = decide(s, admin, admission.Change{Thing: put}); err != nil || d.Pending != nil || d.Settles {
		t.Errorf("the department's own: %+v %v", d, err)
	}
	if d, err = decide(s, company, admission.Change{Thing: sign("va-1", "viet-ads", "son-tinh", "own")}); err != nil ||
		d.Pending != nil || !d.Settles {
		t.Errorf("a change that is taken back: %+v %v", d, err)
	}
	fresh := sign("va-9", "viet-ads", "ly-son", "")
	fresh.Test = true
	if d, err = decide(s, company, admission.Change{Thing: fresh}); err != nil || d.Thing.(*playlists.Sign).Test ||
		d.Pending == nil {
		t.Errorf("a new sign: %+v %v", d, err)
	}
	put.Areas = []string{"hue"}
	if _, err = decide(s, company, admission.Change{Thing: put}); !says(err, "is not a known area") {
		t.Errorf("an unknown area: %v", err)
	}
	if _, err := decide(s, company, admission.Change{Thing: fresh, Used: true}); !says(err, "never used again") {
		t.Errorf("a name that was used: %v", err)
	}
}

// A rule is overridden by name and with a reason, once for a sign.
func TestWaivers(t *testing.T) {
	far := sign("va-1", "viet-ads", "son-tinh", "own")
	far.Pitch, far.Distance = 10, 100
	why := &admission.Waive{Code: "distance", Reason: "người đi bộ đọc gần"}
	d, err := decide(world(), company, admission.Change{Thing: far, Waive: why})
	if err != nil || d.Waiver == nil || d.Waiver.Reason != why.Reason || !slices.Equal(d.Waiver.Signs, []string{"va-1"}) {
		t.Errorf("%+v %v", d.Waiver, err)
	}
	if _, err := decide(world(), company,
		admission.Change{Thing: far, Waive: &admission.Waive{Code: "glyph", Reason: "x"}}); !says(err, "only distance can") {
		t.Errorf("another rule: %v", err)
	}
	if d, err := decide(world(), company, admission.Change{Thing: message("viet-ads", "shoes")}); err != nil ||
		d.Waiver != nil {
		t.Errorf("a message that can be read: %+v %v", d.Waiver, err)
	}
	// Signs that are alike are drawn once.
	a := &artist{}
	c := &admission.Checker{Artist: a, Others: others{}}
	var more []playlists.Thing
	for i := range 50 {
		more = append(more, sign(fmt.Sprintf("va-%d", 10+i), "viet-ads", "son-tinh", ""))
	}
	hats := message("viet-ads", "hats")
	if _, err := c.Check(context.Background(), world(more...), company, admission.Change{Key: hats.Key(), Thing: hats},
		now); err != nil || a.drawn != 1 {
		t.Errorf("51 signs that are alike: %d drawings, %v", a.drawn, err)
	}
}

// An owner has room for so many things of a kind, whatever others have.
func TestRoom(t *testing.T) {
	most := playlists.InfoOf(playlists.KindAgreement).Most
	var full []playlists.Thing
	for i := range most {
		full = append(full, &playlists.Agreement{ID: fmt.Sprintf("a-%d", i), Owner: "viet-ads", SharePercent: 10})
	}
	s := world(full...)
	one := func(owner, id string) error {
		_, err := decide(s, &playlists.Principal{ID: "user:x", Owner: owner, Role: playlists.RoleAdmin},
			admission.Change{Thing: &playlists.Agreement{ID: id, Owner: owner, SharePercent: 10}})
		return err
	}
	if err := one("viet-ads", "more"); !says(err, fmt.Sprintf("would be one more than the %d", most)) {
		t.Errorf("one more: %v", err)
	}
	if err := one("viet-ads", "a-0"); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if err := one("song-tra", "more"); err != nil {
		t.Errorf("another owner's: %v", err)
	}
}

// An urgent message names the areas of today.
func TestAreasOfToday(t *testing.T) {
	s := world()
	for code, words := range map[string]string{"qn": "", "hue": "is not a known area",
		"qn/old": "was replaced; use qn/son-tinh"} {
		if err := admission.Areas(s, admin, []string{code}, "alerts/a1"); !says(err, words) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := admission.Areas(s, officer, []string{"qn/ly-son"}, "alerts/a1"); !says(err,
		`alerts/a1.areas[0] "qn/ly-son" is outside`) {
		t.Errorf("elsewhere: %v", err)
	}
	if err := admission.Officer(s, officer, sign("st-1", "song-tra", "ly-son", "")); !says(err, "is outside") {
		t.Errorf("a sign elsewhere: %v", err)
	}
}

// A company's new sign shows alerts and is counted apart until the department has looked. What is over the owner's
// limits is taken and waits. A company decides none of this.
func TestHowSignsCountForAlerts(t *testing.T) {
	s := world()
	alerts := func(s *playlists.Snapshot, who *playlists.Principal, x *playlists.Sign) playlists.SignAlerts {
		t.Helper()
		d, err := decide(s, who, admission.Change{Thing: x})
		if err != nil {
			t.Fatal(err)
		}
		return d.Thing.(*playlists.Sign).Alerts
	}
	fresh := sign("va-9", "viet-ads", "ly-son", "")
	if got := alerts(s, company, fresh); got != playlists.AlertsNew {
		t.Errorf("a company's new sign is %q", got)
	}
	if got := alerts(s, admin, fresh); got != playlists.AlertsCounted {
		t.Errorf("the department's new sign is %q", got)
	}
	fresh.Alerts = playlists.AlertsExcluded
	if got := alerts(s, company, fresh); got != playlists.AlertsNew {
		t.Errorf("a company made it %q", got)
	}
	excluded := *sign("va-1", "viet-ads", "son-tinh", "own")
	excluded.Alerts = playlists.AlertsExcluded
	changed := world(&excluded)
	again := sign("va-1", "viet-ads", "son-tinh", "own")
	if got := alerts(changed, company, again); got != playlists.AlertsExcluded {
		t.Errorf("a company made an excluded sign %q", got)
	}
	if got := alerts(changed, admin, again); got != playlists.AlertsCounted {
		t.Errorf("the department made it %q", got)
	}

	owner := &playlists.Owner{ID: "viet-ads", Name: "Việt", MaxSigns: 1}
	if got := alerts(world(owner), company, sign("va-9", "viet-ads", "ly-son", "")); got != playlists.AlertsWaiting {
		t.Errorf("beyond one sign it is %q", got)
	}
	if got := alerts(world(owner), admin, sign("va-9", "viet-ads", "ly-son", "")); got != playlists.AlertsCounted {
		t.Errorf("the department's, beyond one sign, is %q", got)
	}
	owner = &playlists.Owner{ID: "viet-ads", Name: "Việt", MaxClasses: 1}
	same, other := sign("va-8", "viet-ads", "ly-son", ""), sign("va-9", "viet-ads", "ly-son", "")
	other.Class.W += 8
	if got := alerts(world(owner), company, same); got != playlists.AlertsNew {
		t.Errorf("of a class that it has, it is %q", got)
	}
	if got := alerts(world(owner), company, other); got != playlists.AlertsWaiting {
		t.Errorf("beyond one class it is %q", got)
	}
	many := []playlists.Thing{}
	for i := range playlists.DefaultSigns {
		many = append(many, sign(fmt.Sprint("many-", i), "viet-ads", "ly-son", ""))
	}
	if got := alerts(world(many...), company, sign("va-9", "viet-ads", "ly-son", "")); got != playlists.AlertsWaiting {
		t.Errorf("beyond %d signs it is %q", playlists.DefaultSigns, got)
	}
}
