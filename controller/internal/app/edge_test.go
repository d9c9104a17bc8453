package app_test

import (
	"net/http"
	"strings"
	"testing"
)

// What no route takes is a problem document, too; a secret in a query is named
// and not repeated; and the demo's guest is one who asks this machine by a name
// of its own.
func TestEdge(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	c.all([]ask{
		{"viet-ads", "GET", "/api/v1/nothing/here", "", nil, 404, `"urn:ledcast:not-found"`},
		{"", "POST", "/api/", "", nil, 404, "openapi.json lists them"},
		{"viet-ads", "POST", "/api/v1/areas", "", nil, 405, "use GET"},
		{"viet-ads", "PATCH", "/api/v1/signs/demo-64x32", "", nil, 405, "PUT, DELETE"},
		{"viet-ads", "GET", "/api/v1/signs?token=ledcast_abc", "", nil, 422, `"field":"token","value":"…"`},
		{"", "GET", "/api/v1/signs?access_token=ledcast_abc", "", nil, 422, "a secret in a query"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet,
			[]string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}, 403, `"code":"foreign-origin"`},
		{"viet-ads", "PUT", "/api/v1/signs/va-1", `{"class":"64x32-red"`, nil, 422, "is not JSON"},
		{"viet-ads", "PUT", "/api/v1/signs/va-1", `{"class":"64x32-red","areas":["quang-ngai"]}`, nil, 422,
			"signs/va-1.owner"},
		{"viet-ads", "PUT", "/api/v1/signs/va-1",
			`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"],"name":"` + strings.Repeat("x", 5000) + `"}`, nil,
			413, "signs/va-1.name"},
		{"viet-ads", "PUT", "/api/v1/signs/va-1",
			`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"],"name":"a\u0000b"}`, nil, 422, "signs/va-1.name"},
		{"viet-ads", "PUT", "/api/v1/signs/va-1",
			`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai","quang-ngai"]}`, nil, 422, "is named twice"},
		{"viet-ads", "PUT", "/api/v1/signs/va-1",
			`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"],` +
				`"rules":{"off":[{"from":"22:00","until":"05:00"},{"days":["tue"],"from":"04:00","until":"06:00"}]}}`, nil,
			422, "overlaps off[0], 22:00-05:00"},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own", `{"items":[{"message":"public/5k","weight":0}]}`, nil,
			422, `"field":"playlists/own.items[0].weight","value":"0"`},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own",
			`{"items":[{"message":"tet","count":99},{"message":"public/5k"}]}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/schedules/day", `{"playlist":"own"}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet",
			strings.Replace(tet, "Năm mới Tân Sửu", strings.Repeat("An khang thịnh vượng ", 12), 1), nil, 413,
			"over the limit of 900 s"},
	})
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/api/v1/signs", nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"": 200, "localhost:1": 200, "[::1]:8080": 200, "evil.example": 401,
		"127.0.0.1.evil.example:8080": 401} {
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a guest who asks %q gets %d, want %d", host, res.StatusCode, want)
		}
	}
}
