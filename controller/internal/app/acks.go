package app

import (
	"context"
	"slices"
	"strings"

	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/publish"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// acked is the seq of the program that the sign says it has.
func (a *App) acked(sign string) (seq int64) {
	st := a.listener.State(sign)
	if x := st.Status; x != nil && x.Program != nil {
		seq = x.Program.Seq
	}
	if x := st.Acks[wire.RoleProgram]; x != nil && x.State != wire.AckRejected {
		seq = max(seq, x.Seq)
	}
	return seq
}

// limits are those that the sign has declared.
func (a *App) limits(sign string) plan.Limits {
	if st := a.listener.State(sign).Status; st != nil && st.Limits != nil {
		return plan.Limits{Frames: st.Limits.Frames, FrameBytes: st.Limits.FrameBytes, Document: st.Limits.Document}
	}
	return plan.Limits{}
}

// countAck counts what a sign acknowledges of an alert.
func (a *App) countAck(sign string, k *wire.Ack) {
	if k.Role != wire.RoleAlerts && k.Role != wire.RoleAlertsTest {
		return
	}
	a.alerts.HandleAck(alert.Ack{Sign: sign, Test: k.Role == wire.RoleAlertsTest, Seq: k.Seq, Alert: k.Alert,
		State: string(k.State), Reason: string(k.Reason)})
}

// reach says whether a sign is connected: "", "offline" or "never"; see alert.Options.
func (a *App) reach(sign string) string {
	s := a.listener.State(sign)
	switch {
	case s.Online:
		return ""
	case s.HeardAt.IsZero() && !a.watch.Known(sign):
		return "never"
	}
	return "offline"
}

// acknowledged reports which signs are online and what they acknowledged.
type acknowledged struct{ a *App }

func (x acknowledged) Online(sign string) bool { return x.a.listener.Online(sign) }

func (x acknowledged) Acked(sign, what string, seq int64) bool {
	if id, ok := strings.CutPrefix(what, publish.AlertAck); ok {
		return x.a.alerts.Acked(sign, id) && !x.lacksFrames(sign, id)
	}
	return x.a.listener.Seq(sign, what) >= seq
}

// lacksFrames reports whether a sign has said that frames of a running alert are missing there, and nothing since.
func (x acknowledged) lacksFrames(sign, id string) bool {
	class, ok := x.a.classOf(sign)
	if !ok {
		return false
	}
	for role, test := range map[string]bool{wire.RoleAlerts: false, wire.RoleAlertsTest: true} {
		if _, frames := x.Lacks(sign, role, id); !frames {
			continue
		}
		set, _ := x.a.publisher.AlertSet(class.String(), test)
		if set != nil && slices.ContainsFunc(set.Alerts, func(a timeline.Alert) bool { return a.ID == id }) {
			return true
		}
	}
	return false
}

func (x acknowledged) Lacks(sign, role, alert string) (keys, frames bool) {
	return x.a.listener.Lacks(sign, role, alert)
}

// classOf is the class of a sign that the controller knows.
func (a *App) classOf(sign string) (playlists.Class, bool) {
	s, err := a.catalogue.Sign(context.Background(), sign)
	if err != nil || s == nil {
		return playlists.Class{}, false
	}
	return s.Class, true
}
