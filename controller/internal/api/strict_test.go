package api

import (
	"errors"
	"strings"
	"testing"

	"ledcast/playlists"
)

// What is wrong with a body is named by its path and its value.
func TestParse(t *testing.T) {
	for body, want := range map[string]string{ // field|value|problem
		``:     `m|| is empty, or not JSON`,
		`{} 1`: `m|| is not JSON at byte 3`,
		`{"variants":[{"headline":"A"},{"headline":5}]}`: `m.variants[1].headline|5| is a number and should be a text`,
		`{"Variants":[]}`:                 `m.Variants|Variants| is not a field of this object`,
		`{"variants":[{"HEADLINE":"A"}]}`: `m.variants[0].HEADLINE|HEADLINE| is not a field of this object`,
		`{"id":"a","id":"b"}`:             `m.id|| occurs twice`,
		`{"variants":{"headline":"A"}}`:   `m.variants|| is an object and should be a list`,
		`{"variants":[{"headline":"A"}],"` + strings.Repeat("x", 5000) + `":1}`: `m.` + strings.Repeat("x", 99) + `…|`,
		strings.Repeat(`{"variants":[`, 20000):                                  `m.`,
		`[]`:                                                                    `m|| is a list and should be an object`,
		`{"variants":[{"headline":"A"}],"image":{"media":null,` +
			`"fit":{"a":[1,2,"b\u0000"]}}}`: `m.image.fit|| is an object and should be a text`,
	} {
		var m playlists.Message
		err := parse([]byte(body), &m, "m", func() error { return nil }, func() error { return nil })
		var e *playlists.Error
		if !errors.As(err, &e) || e.Code != playlists.Invalid || e.English().Remedy == "" {
			t.Errorf("%.60s: %v", body, err)
			continue
		}
		if got := e.Field + "|" + e.Value + "| " + e.English().Title; !strings.HasPrefix(got, want) {
			t.Errorf("%.60s:\n got %.200s\nwant %s", body, got, want)
		}
		if vi := e.Vietnamese(); vi.Title == e.English().Title {
			t.Errorf("%q has no Vietnamese", e.English().Title)
		}
	}
	var l playlists.Playlist
	err := parse([]byte(`{"items":[{"message":"a"},{"message":"b","weight":0}]}`), &l, "playlists/x",
		func() error { return nil }, func() error { return nil })
	var e *playlists.Error
	if !errors.As(err, &e) || e.Field != "playlists/x.items[1].weight" || e.Value != "0" {
		t.Errorf("a weight of zero: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `{"variants":[{"lang":"vi","headline":"Xin chào"}]}`, `{"id":"a","id":"b"}`, `[[[[`,
		`{"a":1e999}`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []any{new(playlists.Message), new(playlists.Sign), new(playlists.AlertOrder),
			new(playlists.Playlist)} {
			err := parse(data, v, "x", func() error { return nil }, func() error { return nil })
			var e *playlists.Error
			if err != nil && (!errors.As(err, &e) || e.English().Title == "" || e.English().Remedy == "" ||
				len(e.Value) > 1000 || len(e.Field) > 1000) {
				t.Errorf("%T: %v", v, err)
			}
		}
	})
}
