package accept

import (
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

func TestTheLifeOfAnAlert(t *testing.T) {
	r := withKeys(t)
	set := r.alerts(1, []timeline.Alert{alert("storm", 3, 4)})
	r.frames[digest(3)] = true
	r.sendAlerts(set)
	r.want("store alerts 1", "alerts 1", "ack alerts 1 received", "ack alerts 1 storm rejected missing-frame 33")
	r.step(FramesChanged{}) // still one missing: nothing new to say
	r.want()
	r.frames[digest(4)] = true
	r.step(FramesChanged{})
	r.step(FramesChanged{})
	r.want("ack alerts 1 storm received 33")
	r.step(Shown{Alert: "storm", Frame: digest(3)})
	r.step(Shown{Alert: "storm", Frame: digest(4)})
	r.step(Shown{Alert: "flood", Frame: digest(4)})
	r.want("ack alerts 1 storm showing 33")
	r.sendAlerts(set)
	r.want("ack alerts 1 received", "ack alerts 1 storm showing 33")
	delete(r.frames, digest(4))
	r.step(FramesChanged{})
	r.want()
	r.sendAlerts(set)
	r.want("ack alerts 1 received", "ack alerts 1 storm rejected missing-frame 33")
	r.frames[digest(4)] = true
	r.sendAlerts(r.alerts(2, nil, timeline.Ended{ID: "storm", At: t0, Until: t0 + 3600, Why: "cancelled"}))
	r.want("store alerts 2", "ack alerts 2 storm ended 33", "alerts 2", "ack alerts 2 received")
	if r.m.Acked("storm") != "" || r.m.Ended()["storm"] != t0+3600 || !r.m.Closed("storm") {
		t.Errorf("acked %q, ended %v", r.m.Acked("storm"), r.m.Ended())
	}
	r.sendAlerts(r.alerts(3, []timeline.Alert{alert("storm", 3)})) // what ended stays ended
	r.want("store alerts 3", "alerts 3", "ack alerts 3 received")

	// A set that both has an alert and names it as ended: the alert is over, and the sign still has to say so.
	r.sendAlerts(r.alerts(4, []timeline.Alert{alert("flood", 3)}))
	r.log = nil
	r.sendAlerts(
		r.alerts(5, []timeline.Alert{alert("flood", 3)}, timeline.Ended{ID: "flood", At: t0, Until: t0 + 3600}),
	)
	r.want("store alerts 5", "alerts 5", "ack alerts 5 received")
	if r.m.Closed("flood") {
		t.Error("closed before its end was acked")
	}
	r.step(Over{"flood"})
	r.want("ack alerts 5 flood ended 33", "save")
}

func TestAnAlertEndsByItself(t *testing.T) {
	r := withKeys(t)
	r.frames[digest(3)] = true
	set := r.alerts(1, []timeline.Alert{alert("storm", 3), alert("never", 4)})
	r.sendAlerts(set)
	r.log = nil
	if r.m.Closed("storm") || r.m.Closed("never") {
		t.Error("closed before their time")
	}
	r.step(Over{"storm"})
	r.step(Over{"storm"})
	r.want("ack alerts 1 storm ended 33", "save")
	r.step(Over{"never"})
	r.want("ack alerts 1 never ended 44", "save")
	r.step(Over{"unknown"})
	r.want()
	if !r.m.Closed("storm") || r.m.Ended()["storm"] != t0+3600 || r.m.Ended()["never"] != t0+3600 {
		t.Errorf("ended %v", r.m.Ended())
	}
	r.sendAlerts(set)
	r.step(FramesChanged{})
	r.want("ack alerts 1 received")
	// A day after its time it need not be remembered any more.
	r.now.NowMS = (t0 + 3600 + wire.MaxAlertLife) * 1000
	r.sendAlerts(r.alerts(2, nil))
	if len(r.m.Ended()) != 2 {
		t.Errorf("ended %v", r.m.Ended())
	}
	r.now.NowMS++
	r.now.Trusted = false
	r.sendAlerts(r.alerts(3, nil))
	if len(r.m.Ended()) != 2 {
		t.Errorf("forgotten by a clock that is not trusted: %v", r.m.Ended())
	}
	r.now.Trusted = true
	r.sendAlerts(r.alerts(4, nil))
	if len(r.m.Ended()) != 0 {
		t.Errorf("ended %v", r.m.Ended())
	}
}

func TestAlertsOfOtherSigns(t *testing.T) {
	elsewhere := alert("elsewhere", 3)
	elsewhere.Areas = []string{"quang-nam"}
	named := elsewhere
	named.ID, named.Signs = "named", []string{sign}
	r := withKeys(t)
	r.frames[digest(1)], r.frames[digest(3)] = true, true
	r.sendAlerts(r.alerts(1, []timeline.Alert{elsewhere, named}))
	r.want("store alerts 1", "alerts 1", "ack alerts 1 received", "ack alerts 1 named received 33")
	r.sendProgram(r.program(5)) // its areas are in force from now on
	r.log = nil
	r.step(FramesChanged{})
	r.want("ack alerts 1 elsewhere received 33")
	r.sendAlerts(r.alerts(2, []timeline.Alert{named}))
	r.want("store alerts 2", "ack alerts 2 elsewhere ended 33", "alerts 2", "ack alerts 2 received",
		"ack alerts 2 named received 33")
}

// A test sign keeps both sets apart: a set ends alerts of its own kind only.
func TestTestAlerts(t *testing.T) {
	r := withKeys(t, func(c *Config) { c.Test = true })
	r.frames[digest(3)] = true
	tests := func(seq int64, alerts ...timeline.Alert) {
		r.step(Document{wire.AlertsTopic(class, true), r.seal(testKey, wire.TypAlertsTest, &timeline.AlertSet{
			Header: wire.NewHeader(wire.RoleAlertsTest, 1, seq, t0, wire.LifeAlerts), Class: class, Alerts: alerts})})
	}
	tests(1, alert("trial", 3))
	r.want("store alerts-test 1", "alerts-test 1", "ack alerts-test 1 received", "ack alerts-test 1 trial received 33")
	r.sendAlerts(r.alerts(2, []timeline.Alert{alert("storm", 3)}))
	r.want("store alerts 2", "alerts 2", "ack alerts 2 received", "ack alerts 2 storm received 33")
	r.step(Shown{Alert: "trial", Frame: digest(3)})
	r.want("ack alerts-test 1 trial showing 33")
	tests(2, alert("trial", 3), alert("later", 5))
	r.want("store alerts-test 2", "alerts-test 2", "ack alerts-test 2 received", "ack alerts-test 2 trial showing 33",
		"ack alerts-test 2 later rejected missing-frame 55")
	r.frames[digest(5)] = true
	r.step(FramesChanged{})
	r.want("ack alerts-test 2 later received 55")
	tests(3)
	r.want("store alerts-test 3", "ack alerts-test 3 trial ended 33", "ack alerts-test 3 later ended 55",
		"alerts-test 3", "ack alerts-test 3 received")
	if r.m.Acked("storm") != wire.AckReceived || len(r.m.Alerts(false).Alerts) != 1 ||
		len(r.m.Alerts(true).Alerts) != 0 {
		t.Errorf("storm is acked %q", r.m.Acked("storm"))
	}
}
