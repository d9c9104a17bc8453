package api

import (
	"fmt"
	"testing"

	"ledcast/playlists"
)

// What a removed person has made is followed through the tokens that they made, and what is gone or over is left out.
func TestMade(t *testing.T) {
	m := newMadeBy("lan")
	for i, e := range []struct{ who, action, kind, id, after string }{
		{"user:lan", "create", "sign", "qn-1", "{}"},
		{"user:lan", "create", "sign", "qn-2", "{}"},
		{"user:minh", "create", "sign", "qn-3", "{}"},
		{"user:lan", "create", "token", "robot", "{}"},
		{"token:robot", "create", "user", "hoa", "{}"},
		{"token:robot", "create", "token", "robot-2", "{}"},
		{"token:robot-2", "replace", "alert-template", "flood", "{}"},
		{"token:other", "create", "alert-template", "storm", "{}"},
		{"user:lan", "create", "message", "tet", "{}"},
		{"user:lan", "create", "alert", "a1", `{"state":"pending"}`},
		{"user:lan", "replace", "alert", "a1", `{"state":"running"}`},
		{"user:lan", "replace", "alert", "a2", `{"state":"running"}`},
		{"user:minh", "replace", "alert", "a1", `{"state":"ended"}`},
		{"user:minh", "delete", "sign", "qn-2", ""},
	} {
		m.add(&playlists.AuditEntry{N: int64(i), By: playlists.Actor{Who: e.who, AtMS: int64(i)}, Action: e.action,
			Kind: e.kind, ID: e.id, After: []byte(e.after)})
	}
	got := ""
	for _, x := range m.list() {
		got += fmt.Sprintf("%s/%s ", x.Kind, x.ID)
	}
	if want := "alert/a2 alert-template/flood token/robot-2 user/hoa token/robot sign/qn-1 "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
