package listen

import (
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// What a sign has of alerts is what it says: the set that its status names,
// without what it refused.
func TestHasOf(t *testing.T) {
	set := &timeline.AlertSet{Header: timeline.Header{Seq: 9}, Alerts: []timeline.Alert{{ID: "a"}, {ID: "b"}}}
	status := func(seq int64) *wire.Status { return &wire.Status{Alerts: &wire.SeqOf{Seq: seq}} }
	ack := func(state wire.AckState, seq int64) *wire.Ack { return &wire.Ack{State: state, Seq: seq} }
	for what, x := range map[string]struct {
		status *wire.Status
		acks   map[string]*wire.Ack
		want   string
	}{
		"nothing said":                    {nil, nil, ""},
		"no set":                          {&wire.Status{}, nil, ""},
		"an older set":                    {status(8), nil, ""},
		"the set":                         {status(9), nil, "ab"},
		"the set, since its last status":  {status(8), map[string]*wire.Ack{"alerts": ack(wire.AckReceived, 9)}, "ab"},
		"the set was refused":             {status(8), map[string]*wire.Ack{"alerts": ack(wire.AckRejected, 9)}, ""},
		"an alert of it was refused":      {status(9), map[string]*wire.Ack{"alerts/b": ack(wire.AckRejected, 9)}, "a"},
		"an alert ended":                  {status(9), map[string]*wire.Ack{"alerts/b": ack(wire.AckEnded, 9)}, "a"},
		"an alert of an older set":        {status(8), map[string]*wire.Ack{"alerts/a": ack(wire.AckShowing, 8)}, "a"},
		"an alert came after its refusal": {status(9), map[string]*wire.Ack{"alerts/a": ack(wire.AckShowing, 9)}, "ab"},
	} {
		got := ""
		for _, a := range (&State{Status: x.status, Acks: x.acks}).Alerts(set, false) {
			got += a.ID
		}
		if got != x.want {
			t.Errorf("%s: it has %q, want %q", what, got, x.want)
		}
	}
}
