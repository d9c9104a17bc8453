package accept

import (
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

func alertRole(test bool) string {
	if test {
		return wire.RoleAlertsTest
	}
	return wire.RoleAlerts
}

// newAlerts takes an alert set over on its signature and fields alone: a missing frame, or a full disk, must not
// hold up a cancel.
func (s *step) newAlerts(d Document, test bool) error {
	set, repeat, err := wire.OpenAlerts(d.Doc, test, s.receiver())
	if err != nil {
		return err
	}
	delete(s.waiting, d.Topic)
	role, digest := alertRole(test), wire.Digest(d.Doc)
	if !repeat || s.stored[role] != digest {
		for _, e := range set.Ended {
			s.ended[e.ID], s.over[e.ID] = e.Until, true
		}
		s.forgetEnded()
		s.do(Store{Role: role, Subject: set.Class, Epoch: set.Epoch, Seq: set.Seq, Digest: digest, Doc: d.Doc})
		s.ackRemoved(set, test)
		s.sets[index(test)] = alertSet{set, wire.ClaimedKey(d.Doc)}
		s.do(SetAlerts{test, set})
	}
	s.ack(wire.Ack{Role: role, Epoch: set.Epoch, Seq: set.Seq, State: wire.AckReceived})
	s.checkAlerts(test, true)
	return nil
}

// ackRemoved acks the end of alerts that the new set no longer has.
func (s *step) ackRemoved(set *timeline.AlertSet, test bool) {
	before := s.Alerts(test)
	if before == nil {
		return
	}
	still := map[string]bool{}
	for i := range set.Alerts {
		still[set.Alerts[i].ID] = true
	}
	for i := range before.Alerts {
		if a := &before.Alerts[i]; !still[a.ID] && s.acked[a.ID] != "" {
			s.ackAlert(a, set, test, wire.AckEnded, "")
			delete(s.acked, a.ID)
		}
	}
}

// forgetEnded forgets alerts whose time is over in any case.
func (s *step) forgetEnded() {
	for id, until := range s.ended {
		if s.now.Trusted && s.now.NowMS > (until+wire.MaxAlertLife)*1000 {
			delete(s.ended, id)
		}
	}
}

// checkAlerts asks about the frames of every alert that reaches the sign and is not over.
func (s *step) checkAlerts(test, fresh bool) {
	set := s.Alerts(test)
	if set == nil {
		return
	}
	for i := range set.Alerts {
		if a := &set.Alerts[i]; !s.over[a.ID] && a.Reaches(s.c.Sign, s.Areas()) {
			s.do(CheckAlert{test, set, a, fresh})
		}
	}
}

// alertFrames acks an alert as far as it has come.
func (s *step) alertFrames(ev AlertFrames) {
	c := &ev.Check
	state := s.acked[c.Alert.ID]
	switch {
	case ev.Whole && (state == "" || state == wire.AckRejected):
		s.ackAlert(c.Alert, c.Set, c.Test, wire.AckReceived, "")
	case ev.Whole && c.Fresh:
		s.ackAlert(c.Alert, c.Set, c.Test, state, "")
	case !ev.Whole && (c.Fresh || state == ""):
		s.ackAlert(c.Alert, c.Set, c.Test, wire.AckRejected, wire.MissingFrame)
	}
}

func (s *step) ackAlert(a *timeline.Alert, set *timeline.AlertSet, test bool, state wire.AckState, reason wire.Reason) {
	s.acked[a.ID] = state
	k := wire.Ack{Role: alertRole(test), Epoch: set.Epoch, Seq: set.Seq, Alert: a.ID, State: state, Reason: reason}
	if len(a.Frames) > 0 {
		k.Frame = a.Frames[0].SHA256
	}
	s.ack(k)
}

// eachAlert visits an alert in both sets: a test sign ranks them together.
func (s *step) eachAlert(id string, visit func(a *timeline.Alert, set *timeline.AlertSet, test bool)) {
	for i := range s.sets {
		set := s.sets[i].set
		if set == nil {
			continue
		}
		for k := range set.Alerts {
			if set.Alerts[k].ID == id {
				visit(&set.Alerts[k], set, i == 1)
			}
		}
	}
}

func (s *step) alertShown(id string) {
	s.eachAlert(id, func(a *timeline.Alert, set *timeline.AlertSet, test bool) {
		if s.acked[id] != wire.AckShowing {
			s.ackAlert(a, set, test, wire.AckShowing, "")
		}
	})
}

// alertOver acks an alert that ended by itself, and remembers it: what ended stays ended.
func (s *step) alertOver(id string) {
	s.over[id] = true
	s.eachAlert(id, func(a *timeline.Alert, set *timeline.AlertSet, test bool) {
		if state := s.acked[id]; state != "" && state != wire.AckEnded {
			s.ackAlert(a, set, test, wire.AckEnded, "")
			s.ended[id] = a.Until
			s.do(Save{})
		}
	})
}

// alertRevived takes an end back. An ack showing may follow.
func (s *step) alertRevived(id string) {
	if !s.over[id] {
		return
	}
	delete(s.over, id)
	delete(s.ended, id)
	if s.acked[id] == wire.AckEnded {
		s.acked[id] = wire.AckReceived
	}
	s.do(Save{})
}
