package storetest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func object(kind, owner, id, data string) store.Object {
	return store.Object{Kind: kind, Owner: owner, ID: id, Data: []byte(data), UpdatedMS: 1767200400000}
}

// stamps checks that every write of a kind changes its stamp, and a write of another kind does not.
func stamps(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	seen := map[string]bool{}
	stamp := func(kinds ...string) string {
		t.Helper()
		return o.Stamp(kinds...)
	}
	fresh := func(what string) {
		t.Helper()
		if s := stamp("sign", "area"); seen[s] {
			t.Errorf("%s: the stamp %s was used before", what, s)
		} else {
			seen[s] = true
		}
	}
	put := func(kind, id string) {
		t.Helper()
		_, err := o.Put(ctx, object(kind, "", id, `{}`), store.AnyVersion)
		must(t, err)
	}
	fresh("empty")
	put("sign", "qn-001")
	fresh("created")
	put("sign", "qn-001")
	fresh("written again")
	put("area", "quang-ngai")
	fresh("another kind of the two")
	must(t, o.Delete(ctx, "sign", "", "qn-001", store.AnyVersion))
	fresh("deleted")
	put("sign", "qn-001")
	fresh("created again")
	before := stamp("sign", "area")
	put("message", "m-1")
	if after := stamp("sign", "area"); after != before {
		t.Errorf("a write of a message changed the stamp of signs: %s, %s", before, after)
	}
}

func objectVersions(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	put := func(data string, expected int64) (int64, error) {
		return o.Put(ctx, object("message", "viet-ads", "bluezone-1", data), expected)
	}
	_, err := o.Get(ctx, "message", "viet-ads", "bluezone-1")
	checkCode(t, "get of none", err, playlists.NotFound)
	_, err = put(`{"n":0}`, 1)
	checkCode(t, "put on a version of none", err, playlists.NotFound)
	for i, step := range []struct {
		expected, want int64
	}{{store.Absent, 1}, {1, 2}, {store.AnyVersion, 3}, {3, 4}} {
		v, err := put(fmt.Sprintf(`{"n": %d}`, i), step.expected)
		must(t, err)
		if v != step.want {
			t.Fatalf("write %d got version %d, want %d", i, v, step.want)
		}
	}
	for _, stale := range []int64{store.Absent, 3, 5, -2} {
		_, err := put(`{"n":9}`, stale)
		checkCode(t, fmt.Sprintf("put expecting %d", stale), err, playlists.Conflict)
		if stale > 0 && !strings.Contains(err.Error(), "4") {
			t.Errorf("%q does not contain the current version", err)
		}
	}
	got, err := o.Get(ctx, "message", "viet-ads", "bluezone-1")
	must(t, err)
	want := object("message", "viet-ads", "bluezone-1", `{"n": 3}`) // data is stored byte for byte, with the space
	if string(got.Data) != string(want.Data) || got.Version != 4 || got.UpdatedMS != want.UpdatedMS ||
		got.Kind != want.Kind || got.Owner != want.Owner || got.ID != want.ID {
		t.Errorf("got %+v, want %+v with version 4", got, want)
	}
	checkCode(t, "delete of a stale version", o.Delete(ctx, "message", "viet-ads", "bluezone-1", 3), playlists.Conflict)
	checkCode(t, "delete of none", o.Delete(ctx, "message", "song-tra-ads", "bluezone-1", store.AnyVersion),
		playlists.NotFound)
	must(t, o.Delete(ctx, "message", "viet-ads", "bluezone-1", 4))
	_, err = o.Get(ctx, "message", "viet-ads", "bluezone-1")
	checkCode(t, "get after delete", err, playlists.NotFound)
}

// objectDeleted checks that versions continue to rise when a deleted object is created again.
func objectDeleted(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	x := object("sign", "viet-ads", "qn-001", `{}`)
	old, err := o.Put(ctx, x, store.Absent)
	must(t, err)
	must(t, o.Delete(ctx, "sign", "viet-ads", "qn-001", store.AnyVersion))
	checkCode(t, "delete twice", o.Delete(ctx, "sign", "viet-ads", "qn-001", store.AnyVersion), playlists.NotFound)
	_, err = o.Put(ctx, x, old)
	checkCode(t, "put on the deleted version", err, playlists.NotFound)
	again, err := o.Put(ctx, x, store.Absent)
	must(t, err)
	if again <= old {
		t.Fatalf("created again with version %d, not above the old version %d", again, old)
	}
	_, err = o.Put(ctx, x, old)
	checkCode(t, "put on the deleted version after it was created again", err, playlists.Conflict)
}

// objectUsed checks that the name of a deleted object is known.
func objectUsed(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	used := func(want bool) {
		t.Helper()
		for id, want := range map[string]bool{"qn-001": want, "qn-002": false} {
			if got, err := o.Used(ctx, "sign", "", id); err != nil || got != want {
				t.Errorf("used %s: %v, %v, want %v", id, got, err, want)
			}
		}
	}
	x := object("sign", "", "qn-001", `{}`)
	used(false)
	if v, err := o.Put(ctx, x, store.Unused); err != nil || v != 1 {
		t.Fatalf("version %d, %v", v, err)
	}
	_, err := o.Put(ctx, x, store.Unused)
	checkCode(t, "put of a name that is in use", err, playlists.Conflict)
	used(false)
	must(t, o.Delete(ctx, "sign", "", "qn-001", 1))
	used(true)
	_, err = o.Put(ctx, x, store.Unused)
	checkCode(t, "put of a used name", err, playlists.Conflict)
	_, err = o.Get(ctx, "sign", "", "qn-001")
	checkCode(t, "get after the refusal", err, playlists.NotFound)
	_, err = o.Put(ctx, x, store.Absent) // Absent allows a used name
	must(t, err)
	used(false)
}

func objectList(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	none, err := o.List(ctx, "message", store.AllOwners)
	must(t, err)
	if len(none) != 0 {
		t.Fatalf("a new store has %v", none)
	}
	for _, x := range []store.Object{
		object("message", "viet-ads", "b", `1`), object("message", "viet-ads", "a-1", `2`),
		object("message", "viet-ads", "a1", `3`),
		object("message", "public", "z", `4`), object("message", "", "i", `5`), object("message", "viet", "c", `6`),
		object("sign", "viet-ads", "qn-001", `7`), object("message", "viet-ads", "gone", `8`),
	} {
		_, err := o.Put(ctx, x, store.Absent)
		must(t, err)
	}
	must(t, o.Delete(ctx, "message", "viet-ads", "gone", 1))
	for _, test := range []struct{ kind, owner, want string }{
		{"message", store.AllOwners,
			"message/i message/public/z message/viet/c message/viet-ads/a-1 message/viet-ads/a1 message/viet-ads/b"},
		{"message", "viet-ads", "message/viet-ads/a-1 message/viet-ads/a1 message/viet-ads/b"},
		{"message", "", "message/i"},
		{"sign", "viet-ads", "sign/viet-ads/qn-001"},
		{"sign", "public", ""},
		{"playlist", store.AllOwners, ""},
	} {
		list, err := o.List(ctx, test.kind, test.owner)
		must(t, err)
		var paths []string
		for _, x := range list {
			paths = append(paths, x.Path())
			if len(x.Data) != 1 || x.Version != 1 || x.UpdatedMS == 0 {
				t.Errorf("%s is listed as %+v", x.Path(), x)
			}
		}
		if got := strings.Join(paths, " "); got != test.want {
			t.Errorf("list of %s of %q: %s, want %s", test.kind, test.owner, got, test.want)
		}
	}
}

func objectBad(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	random := make([]byte, 256)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random) // never fails
	longest := hex.EncodeToString(random)           // an index cannot compress random digits
	_, err := o.Put(ctx, object(longest, longest, longest, `{}`), store.Absent)
	must(t, err)
	for name, x := range map[string]store.Object{
		"no kind":        object("", "viet-ads", "a", `{}`),
		"no id":          object("message", "viet-ads", "", `{}`),
		"all owners":     object("message", store.AllOwners, "a", `{}`),
		"not JSON":       object("message", "viet-ads", "a", `{`),
		"no data":        object("message", "viet-ads", "a", ``),
		"NUL in a name":  object("message", "viet-ads", "a\x00", `{}`),
		"broken UTF-8":   object("message", "viet\xff", "a", `{}`),
		"a long name":    object("message", "viet-ads", strings.Repeat("x", 513), `{}`),
		"two JSON texts": object("message", "viet-ads", "a", `{}{}`),
	} {
		_, err := o.Put(ctx, x, store.Absent)
		checkCode(t, name, err, playlists.Invalid)
	}
}

// objectOneWinner checks that of concurrent writes on the same version exactly one succeeds.
func objectOneWinner(t *testing.T, open Opener) {
	ctx, o := t.Context(), opened(t, open).Objects()
	x := object("message", "viet-ads", "a", `{}`)
	for version := range int64(5) {
		var won, lost atomic.Int64
		concurrently(8, func(int) {
			switch v, err := o.Put(ctx, x, version); {
			case err == nil && v == version+1:
				won.Add(1)
			case err != nil:
				checkCode(t, "overtaken", err, playlists.Conflict)
				lost.Add(1)
			default:
				t.Errorf("put on version %d returned version %d", version, v)
			}
		})
		if won.Load() != 1 || lost.Load() != 7 {
			t.Fatalf("version %d: %d won and %d lost, want 1 and 7", version, won.Load(), lost.Load())
		}
	}
}
