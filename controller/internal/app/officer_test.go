package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/enrol"
	"ledcast/playlists"
)

// token makes a token as the console and lets the caller use it.
func (c *caller) token(d *installation, t auth.Token) {
	c.t.Helper()
	secret, err := d.auth.Issue(c.t.Context(), enrol.Console, t)
	if err != nil {
		c.t.Fatal(err)
	}
	c.tokens[t.ID] = secret
}

// Officers act within their areas: on what stands there now, on where it would
// stand, on what shows elsewhere too, and on who could do more than they.
func TestOfficersStayWithin(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	for _, role := range []playlists.Role{playlists.RoleAdmin, playlists.RoleAuthor, playlists.RoleApprover} {
		c.token(d, auth.Token{ID: "st-" + string(role), Owner: playlists.Public, Role: role,
			Areas: []string{"quang-ngai/son-tinh"}})
	}
	sign := func(area string) string {
		return `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/` + area + `"]}`
	}
	campaign := func(more string) string {
		return `{"letter":{"number":"12/STTTT","date":"2021-01-28"},"messages":["5k"],"share_percent":10,` +
			`"first":"2099-02-01","last":"2099-02-28",` + more + `}`
	}
	const beyond, outside = "reaches beyond the areas", "outside the areas"
	c.all([]ask{
		{"admin", "PUT", "/api/v1/signs/st-1", sign("son-tinh"), nil, 201, ""},
		{"admin", "PUT", "/api/v1/signs/ls-1", sign("ly-son"), nil, 201, ""},
		{"admin", "PUT", "/api/v1/campaigns/wide", campaign(`"areas":["quang-ngai"]`), nil, 201, ""},
		{"admin", "PUT", "/api/v1/campaigns/other", campaign(`"signs":["ls-1"]`), nil, 201, ""},

		{"st-admin", "PUT", "/api/v1/signs/st-1", sign("son-tinh"), nil, 200, ""},
		{"st-admin", "PUT", "/api/v1/signs/st-1", sign("tu-nghia"), nil, 403, outside},
		{"st-admin", "PUT", "/api/v1/signs/ls-1", sign("son-tinh"), nil, 403, outside},
		{"st-admin", "DELETE", "/api/v1/signs/ls-1", "", nil, 403, outside},
		{"st-admin", "POST", "/api/v1/signs/ls-1/credentials", "", nil, 403, outside},
		{"st-admin", "DELETE", "/api/v1/signs/ls-1/credentials", "", nil, 403, outside},
		{"st-admin", "POST", "/api/v1/signs/ls-1/code", "", nil, 403, outside},
		{"st-admin", "POST", "/api/v1/signs/ls-1/key/confirm", "", nil, 403, outside},
		{"st-admin", "POST", "/api/v1/signs/st-1/code", "", nil, 200, "code"},
		{"st-admin", "PUT", "/api/v1/areas/quang-ngai/ba-to", `{"name":"Ba Tơ"}`, nil, 403, outside},
		{"st-admin", "PUT", "/api/v1/areas/quang-ngai/son-tinh/cho", `{"name":"Chợ"}`, nil, 201, ""},
		{"st-admin", "PUT", "/api/v1/owners/new-co", `{"name":"Mới"}`, nil, 403, beyond},
		{"st-admin", "PUT", "/api/v1/drill", `{"on":false,"day":"mon","at":"09:00"}`, nil, 403, beyond},
		{"st-admin", "PUT", "/api/v1/cap", `{}`, nil, 403, beyond},
		{"st-admin", "PUT", "/api/v1/webhooks/w", `{"url":"https://hooks.example/x","events":["started"]}`, nil, 403, beyond},
		{"st-admin", "POST", "/api/v1/cap/approve", "{}", nil, 403, beyond},

		{"st-author", "PUT", "/api/v1/campaigns/wide", campaign(`"areas":["quang-ngai/son-tinh"]`), nil, 403, outside},
		{"st-author", "DELETE", "/api/v1/campaigns/wide", "", nil, 403, outside},
		{"st-author", "PUT", "/api/v1/campaigns/mine", campaign(`"signs":["ls-1"]`), nil, 403, outside},
		{"st-author", "PUT", "/api/v1/campaigns/mine", campaign(`"areas":["quang-ngai/son-tinh"],"signs":["st-1"]`), nil,
			201, ""},
		{"st-author", "DELETE", "/api/v1/campaigns/other", "", nil, 403, outside},
		{"st-author", "DELETE", "/api/v1/campaigns/mine", "", nil, 204, ""},
		{"st-author", "PUT", "/api/v1/owners/public/messages/5k", tet, nil, 403, beyond},
		{"st-author", "PUT", "/api/v1/owners/public/messages/of-son-tinh", tet, nil, 201, ""},
		{"st-author", "PUT", "/api/v1/owners/public/messages/of-son-tinh", tet, nil, 200, ""},
		{"st-author", "PUT", "/api/v1/owners/public/playlists/default", `{"items":[{"message":"of-son-tinh"}]}`, nil, 403,
			beyond},

		// Nobody lets anybody do more than they may themselves.
		{"st-admin", "PUT", "/api/v1/tokens/more", `{"owner":"public","role":"admin"}`, nil, 403, "beyond the areas"},
		{"st-admin", "PUT", "/api/v1/tokens/more", `{"owner":"public","role":"admin","areas":["quang-ngai"]}`, nil, 403,
			"beyond the areas"},
		{"st-admin", "PUT", "/api/v1/tokens/more", `{"owner":"viet-ads","role":"admin"}`, nil, 403, "beyond the areas"},
		{"st-admin", "PUT", "/api/v1/tokens/admin", `{"owner":"public","role":"viewer","areas":["quang-ngai/son-tinh"]}`,
			nil, 403, "beyond the areas"},
		{"st-admin", "DELETE", "/api/v1/tokens/admin", "", nil, 403, "beyond the areas"},
		{"st-admin", "PUT", "/api/v1/tokens/less", `{"owner":"public","role":"viewer","areas":["quang-ngai/son-tinh/cho"]}`,
			nil, 201, ""},
		{"st-admin", "PUT", "/api/v1/tokens/lost", `{"owner":"public","role":"viewer","areas":["quang-ngai/atlantis"]}`, nil,
			422, "is not a known area"},
		{"st-admin", "PUT", "/api/v1/users/off", `{"owner":"public","role":"admin"}`, nil, 403, "beyond the areas"},
		{"st-admin", "PUT", "/api/v1/users/off", `{"owner":"public","role":"author","areas":["quang-ngai/son-tinh"]}`, nil,
			201, ""},
		{"st-admin", "PUT", "/api/v1/users/admin", `{"owner":"public","role":"viewer","areas":["quang-ngai/son-tinh"]}`, nil,
			403, "beyond the areas"},
		{"st-admin", "POST", "/api/v1/users/admin/link", "", nil, 403, "beyond the areas"},
		{"st-admin", "DELETE", "/api/v1/users/admin/sessions", "", nil, 403, "beyond the areas"},
		{"st-admin", "POST", "/api/v1/users/off/link", "", nil, 200, "signin"},

		// The last one who may do everything stays.
		{"admin", "DELETE", "/api/v1/users/admin", "", nil, 422, "the last administrator"},
		{"admin", "PUT", "/api/v1/users/admin", `{"owner":"public","role":"admin","disabled":true}`, nil, 422,
			"the last administrator"},
		{"admin", "PUT", "/api/v1/users/second", `{"owner":"public","role":"admin"}`, nil, 201, ""},
		{"admin", "DELETE", "/api/v1/users/admin", "", nil, 204, ""},
	})
}

// A token that is scoped stays so, however many it makes.
func TestTokensCannotWiden(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	soon := time.Now().Add(time.Hour).Unix()
	c.token(d, auth.Token{ID: "narrow", Owner: "viet-ads", Role: playlists.RoleAdmin,
		Only: []playlists.Kind{playlists.KindToken, playlists.KindUser, playlists.KindMessage}, Expires: soon})
	c.all([]ask{
		{"narrow", "PUT", "/api/v1/tokens/all", `{"role":"admin"}`, nil, 403, "more than your own"},
		{"narrow", "PUT", "/api/v1/tokens/other", `{"role":"admin","only":["message","sign"]}`, nil, 403,
			"more than your own"},
		{"narrow", "PUT", "/api/v1/tokens/longer", fmt.Sprintf(`{"role":"editor","only":["message"],"expires":%d}`, soon+1),
			nil, 403, "the end of your own"},
		{"narrow", "PUT", "/api/v1/tokens/same", `{"role":"editor","only":["message"]}`, nil, 201,
			fmt.Sprintf(`"expires":%d`, soon)},
		{"narrow", "DELETE", "/api/v1/tokens/viet-ads", "", nil, 403, "more than your own"},
		{"narrow", "PUT", "/api/v1/users/someone", `{"owner":"viet-ads","role":"admin"}`, nil, 403, "more than your own"},
		{"viet-ads", "PUT", "/api/v1/users/someone", `{"owner":"viet-ads","role":"admin"}`, nil, 201, ""},
		{"narrow", "POST", "/api/v1/users/someone/link", "", nil, 403, "more than your own"},
		{"narrow", "GET", "/api/v1/users", "", nil, 200, "someone"},
	})
}

// Two companies that want one name at the same time: one has it, the other is
// told that it is taken, and neither's thing is the other's.
func TestTwoWantOneName(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	bodies := map[string]func(owner string) string{
		"signs": func(o string) string {
			return `{"owner":"` + o + `","class":"64x32-red","areas":["quang-ngai/son-tinh"]}`
		},
		"users":  func(o string) string { return `{"owner":"` + o + `","role":"viewer"}` },
		"tokens": func(o string) string { return `{"owner":"` + o + `","role":"viewer"}` },
	}
	owners := []string{"viet-ads", "song-tra-ads"}
	for kind, body := range bodies {
		for round := range 6 {
			path := fmt.Sprintf("/api/v1/%s/race-%d", kind, round)
			var got [2][]int
			var mu sync.Mutex
			var done sync.WaitGroup
			start := make(chan struct{})
			for i, owner := range owners {
				for range 3 {
					done.Go(func() {
						<-start
						status, _, _ := c.do(owner, "PUT", path, body(owner))
						mu.Lock()
						got[i] = append(got[i], status)
						mu.Unlock()
					})
				}
			}
			close(start)
			done.Wait()
			won := func(all []int) bool { return slices.ContainsFunc(all, func(s int) bool { return s/100 == 2 }) }
			if won(got[0]) == won(got[1]) {
				t.Errorf("%s: %s got %v, %s got %v", path, owners[0], got[0], owners[1], got[1])
			}
			for i, all := range got {
				for _, s := range all {
					if s/100 != 2 && s != 404 && s != 409 && s != 412 {
						t.Errorf("%s: %s got %d", path, owners[i], s)
					}
				}
			}
		}
	}
	if _, err := d.store.Audit().Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// What the department answers for, it sees; a company's content it does not,
// in no list, stream or log.
func TestDepartmentReadsNoCompanysContent(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	const mine = "/api/v1/owners/viet-ads/"
	c.all([]ask{
		{"viet-ads", "PUT", mine + "media/secret-picture", string(onePicture(t)), []string{"Content-Type", "image/png"}, 201,
			""},
		{"viet-ads", "PUT", mine + "messages/secret-message", strings.Replace(tet, "Tân Sửu", "bí mật", 1), nil, 201, ""},
		{"viet-ads", "PUT", mine + "messages/secret-message", strings.Replace(tet, "Tân Sửu", "bí mật hơn", 1), nil, 200, ""},
		{"viet-ads", "PUT", mine + "playlists/secret-list", `{"items":[{"message":"secret-message","dwell_ms":11000}]}`, nil,
			201, ""},
		{"viet-ads", "PUT", mine + "schedules/secret-hours", `{"playlist":"secret-list","from":"08:00","until":"12:00"}`,
			nil, 201, ""},
		{"viet-ads", "DELETE", mine + "schedules/secret-hours", "", nil, 204, ""},
	})
	for _, role := range playlists.Roles(playlists.Public) {
		c.token(d, auth.Token{ID: "d-" + string(role), Owner: playlists.Public, Role: role})
	}
	routes := d.api.Routes()
	ids := map[string]string{"messages": "secret-message", "playlists": "secret-list", "media": "secret-picture",
		"schedules": "secret-hours"}
	walked := 0
	for _, route := range routes {
		content := strings.Contains(route.Path, "{owner}")
		kind := ""
		if content {
			kind = strings.Split(route.Path, "/")[5]
		}
		if content && kind != "agreements" { // 404, reading or writing
			target := strings.NewReplacer("{owner}", "viet-ads", "{id}", ids[kind]).Replace(route.Path)
			for _, role := range playlists.Roles(playlists.Public) {
				walked++
				body, head := "", []string{}
				if route.In != nil {
					body = "{}"
				}
				if route.Takes != "" {
					body, head = string(onePicture(t)), []string{"Content-Type", "image/png"}
				}
				if status, text, _ := c.do("d-"+string(role), route.Method, target, body, head...); status != 404 {
					t.Errorf("%s %s as the department's %s: %d %.200s", route.Method, target, role, status, text)
				}
			}
			continue
		}
		if route.Method != "GET" || strings.Contains(route.Path, "{") || route.Path == "/api/v1/events" {
			continue
		}
		status, text, _ := c.do("d-admin", "GET", route.Path+"?limit=500", "")
		for _, x := range []string{"bí mật", "CHÚC MỪNG", "11000", `"type":"image/png"`} {
			if strings.Contains(text, x) {
				t.Errorf("GET %s as the department's admin (%d) tells of %q", route.Path, status, x)
			}
		}
	}
	if walked < 50 {
		t.Errorf("only %d requests were made", walked)
	}
	// That something was changed, and by whom, is there.
	_, text, _ := c.do("d-admin", "GET", "/api/v1/audit?limit=500", "")
	if !strings.Contains(text, `"kind":"message","owner":"viet-ads","id":"secret-message","digest"`) &&
		!strings.Contains(text, `"withheld":true`) {
		t.Errorf("the log does not say that a message was changed: %s", text)
	}
	// The company itself reads all of its own.
	if _, text, _ = c.do("viet-ads", "GET", "/api/v1/audit?limit=500", ""); !strings.Contains(text, "bí mật hơn") ||
		strings.Contains(text, `"withheld"`) {
		t.Error("the company's own log lacks what it changed")
	}
}

// A company sees of a campaign's signs its own.
func TestCampaignNamesNoOthersSigns(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	c.all([]ask{{"admin", "PUT", "/api/v1/campaigns/named",
		`{"letter":{"number":"12/STTTT","date":"2021-01-28"},"messages":["5k"],"share_percent":10,` +
			`"signs":["demo-64x32","demo-320x160"],"first":"2099-02-01","last":"2099-02-28"}`, nil, 201, ""}})
	for as, want := range map[string][]string{"viet-ads": {"demo-64x32"}, "song-tra-ads": {"demo-320x160"},
		"admin": {"demo-64x32", "demo-320x160"}} {
		for _, path := range []string{"/api/v1/campaigns/named", "/api/v1/campaigns"} {
			_, text, _ := c.do(as, "GET", path, "")
			text = strings.TrimPrefix(text, `{"items":[`)
			var got playlists.Campaign
			if err := json.NewDecoder(strings.NewReader(text)).Decode(&got); err != nil || !slices.Equal(got.Signs, want) {
				t.Errorf("%s as %s: %v, %v; want %v", path, as, got.Signs, err, want)
			}
		}
	}
}

// A change that waits is taken back by putting the sign as it was.
func TestWaitingChangeTakenBack(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	const path = "/api/v1/signs/va-1"
	sign := func(area string) string {
		return `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/` + area + `"]}`
	}
	newCaller(t, d).all([]ask{
		{"viet-ads", "PUT", path, sign("son-tinh"), nil, 201, ""},
		{"viet-ads", "PUT", path, sign("ly-son"), nil, 202, ""},
		{"author", "GET", path + "/pending", "", nil, 200, "ly-son"},
		{"admin", "PUT", path, `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"],"name":"Chợ"}`, nil,
			200, ""},
		{"author", "GET", path + "/pending", "", nil, 200, "ly-son"}, // that was something else
		{"viet-ads", "PUT", path, sign("son-tinh"), nil, 200, ""},
		{"author", "GET", path + "/pending", "", nil, 204, ""},
		{"admin", "POST", path + "/pending/approve", "", nil, 404, ""},
		{"viet-ads", "PUT", path, sign("ly-son"), nil, 202, ""},
		{"admin", "POST", path + "/pending/approve", "", nil, 200, ""},
		{"author", "GET", path + "/pending", "", nil, 204, ""},
		{"viet-ads", "GET", path + "/spec", "", nil, 200, "ly-son"},
	})
}

// What cannot be read is found by every way on which it would come to a sign.
func TestReadableByEveryWay(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	const mine = "/api/v1/owners/viet-ads/"
	sign := func(more string) string {
		return `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"]` + more + `}`
	}
	const far = `,"pitch_mm":10,"distance_m":400`
	const unread, through = `"code":"unreadable"`, "?override=distance&reason=Bi%E1%BB%83n+t%E1%BA%A1m"
	c.all([]ask{
		{"viet-ads", "PUT", mine + "messages/small", tet, nil, 201, ""},
		{"viet-ads", "PUT", mine + "playlists/small", `{"items":[{"message":"small"}]}`, nil, 201, ""},
		{"viet-ads", "PUT", mine + "playlists/empty", `{"items":[{"message":"public/5k"}]}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/far-1", sign(far + `,"playlist":"small"`), nil, 422, unread},
		{"viet-ads", "PUT", "/api/v1/signs/far-1", sign(far + `,"playlist":"empty"`), nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/far-1", sign(far + `,"playlist":"small"`), nil, 422, unread},
		{"viet-ads", "PUT", mine + "playlists/empty", `{"items":[{"message":"public/5k"},{"message":"small"}]}`, nil, 422,
			unread},
		{"viet-ads", "PUT", mine + "schedules/far", `{"playlist":"small","signs":["far-1"],"from":"08:00","until":"12:00"}`,
			nil, 422, unread},
		{"viet-ads", "PUT", mine + "schedules/far" + through,
			`{"playlist":"small","signs":["far-1"],"from":"08:00","until":"12:00"}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/far-1", sign(far + `,"playlist":"empty","out_of_service":"Sửa"`), nil, 200, ""},
		{"viet-ads", "PUT", "/api/v1/signs/near-1", sign(`,"playlist":"small"`), nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/signs/near-1", sign(far + `,"playlist":"small"`), nil, 422, unread},
		{"viet-ads", "PUT", "/api/v1/signs/near-1" + through, sign(far + `,"playlist":"small"`), nil, 200, ""},
		// A company's distance holds nothing of the department's up.
		{"author", "PUT", "/api/v1/owners/public/messages/flood", tet, nil, 201, ""},
		{"viet-ads", "GET", "/api/v1/audit?limit=500", "", nil, 200, `"kind":"override"`},
	})
}
