package listen

import (
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Alerts are those of its class's set that a program sign has by its own word:
// of the sets that it took, without those that it refused or ended.
func (s *State) Alerts(set *timeline.AlertSet, test bool) (out []timeline.Alert) {
	role := wire.RoleAlerts
	if test {
		role = wire.RoleAlertsTest
	}
	if s.Status == nil || !test && s.Status.Alerts == nil {
		return nil // it has no set at all
	}
	took := func(a *wire.Ack) bool { return a != nil && a.State != wire.AckRejected && a.Seq >= set.Seq }
	all := !test && s.Status.Alerts.Seq >= set.Seq || took(s.Acks[role])
	for _, a := range set.Alerts {
		k := s.Acks[role+"/"+a.ID]
		switch {
		case k == nil && all, k != nil && (k.State == wire.AckReceived || k.State == wire.AckShowing): // also of an older set
			out = append(out, a)
		}
	}
	return out
}
