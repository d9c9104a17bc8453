package storetest

import (
	"bytes"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func sessions(t *testing.T, open Opener) {
	ctx, s := t.Context(), opened(t, open).Sessions()
	find := func(token string, nowMS int64, want []byte) {
		t.Helper()
		data, found, err := s.Find(ctx, token, nowMS)
		if err != nil || found != (want != nil) || !bytes.Equal(data, want) {
			t.Errorf("%s at %d: %q, %v, %v; want %q", token, nowMS, data, found, err, want)
		}
	}
	find("t1", 0, nil)
	for _, x := range []store.Session{
		{Token: "t2", Who: "lan", Data: []byte("old"), ExpiryMS: 10},
		{Token: "t2", Who: "lan", Data: []byte{0, 0xff}, ExpiryMS: 100}, // replaces the first
		{Token: "t1", Who: "lan", Data: []byte("1"), ExpiryMS: 200},
		{Token: "t3", Who: "minh", Data: []byte("3"), ExpiryMS: 50},
		{Token: "t4", Data: nil, ExpiryMS: 300},
	} {
		must(t, s.Commit(ctx, x))
	}
	checkCode(t, "no token", s.Commit(ctx, store.Session{}), playlists.Invalid)
	checkCode(t, "NUL", s.Commit(ctx, store.Session{Token: "t", Who: "\x00"}), playlists.Invalid)
	find("t2", 99, []byte{0, 0xff})
	find("t2", 100, nil) // expired exactly at that time
	find("t4", 0, []byte{})
	all, err := s.All(ctx, 50)
	must(t, err)
	if len(all) != 3 || all[0].Token != "t1" || all[1].Token != "t2" || all[1].Who != "lan" ||
		!bytes.Equal(all[1].Data, []byte{0, 0xff}) ||
		all[1].ExpiryMS != 100 || all[2].Token != "t4" {
		t.Errorf("all are %+v", all)
	}
	must(t, s.DeleteExpired(ctx, 50))
	find("t3", 0, nil) // removed, not only expired
	if n, err := s.DeleteOf(ctx, "lan"); n != 2 || err != nil {
		t.Errorf("%d sessions of lan ended, %v", n, err)
	}
	_, err = s.DeleteOf(ctx, "")
	checkCode(t, "everybody's", err, playlists.Invalid)
	find("t1", 0, nil)
	find("t4", 0, []byte{})
	must(t, s.Delete(ctx, "t4"))
	must(t, s.Delete(ctx, "t4"))
	find("t4", 0, nil)
}
