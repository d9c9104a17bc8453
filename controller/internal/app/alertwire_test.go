package app_test

import (
	"slices"
	"testing"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// With the broker gone a sign ends an alert at until; one that was away gets
// what still runs at once and never what ended; an old set is stale-seq.
func TestAlertWithoutNetwork(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	data, dir, face := t.TempDir(), t.TempDir(), t.TempDir()
	d := startDemo(t, data)
	stopped := false
	defer func() {
		if !stopped {
			d.stop(t)
		}
	}()
	c := newCaller(t, d)
	d.ready(t)
	config := c.ownSign("va-001", "quang-ngai/son-tinh")
	a := attach(t, config, dir, face)
	eventually(t, "the attached sign plays", func() bool { return a.last(t).Why == timeline.WhyProgram })
	c.approved(order("gone", time.Now().Add(time.Hour), nil))
	eventually(t, "it shows", func() bool { return a.last(t).Item == "gone" })
	old, err := d.store.Documents().Latest(t.Context(), wire.RoleAlerts, "128x64-rgb")
	if err != nil {
		t.Fatal(err)
	}
	a.stop(t)
	c.want("approver", "POST", "/api/v1/alerts/gone/cancel", map[string]bool{}, 200, nil)
	c.approved(order("still", time.Now().Add(time.Hour), nil))
	n := len(a.changes(t))
	a = attach(t, config, dir, face)
	eventually(t, "it has what still runs", func() bool { return a.last(t).Item == "still" })
	eventually(t, "the set is acked", func() bool {
		k := d.listener.State("va-001").Acks[wire.RoleAlerts]
		return k != nil && k.Seq > old.Seq
	})
	var replayed time.Time
	eventually(t, "the old set is acked stale-seq", func() bool {
		if time.Since(replayed) > 3*time.Second { // started twice, the sign has said almost all that it may in 10 s
			replayed = time.Now()
			if err := d.link.Publish(t.Context(), link.Message{Topic: wire.AlertsTopic("128x64-rgb", false),
				Payload: old.JWS, QoS: 1}); err != nil {
				t.Fatal(err)
			}
		}
		k := d.listener.State("va-001").Acks[wire.RoleAlerts]
		return k != nil && k.State == wire.AckRejected && k.Reason == wire.StaleSeq
	})
	c.shows("still", 4, 1) // a replayed set changes no counts
	for _, x := range a.changes(t)[n:] {
		// From its disk it may go on for a moment with what it knew.
		if x.Item == "gone" && x.AtMS > a.changes(t)[n].AtMS+2000 {
			t.Errorf("what was cancelled shows at %d", x.AtMS)
		}
	}
	c.approved(order("brief", time.Now().Add(4*time.Second), map[string]any{"priority": 500}))
	eventually(t, "it shows", func() bool { return a.last(t).Item == "brief" })
	c.want("author", "POST", "/api/v1/alerts/still/cancel", map[string]bool{}, 200, nil)
	eventually(t, "the cancel is known", func() bool {
		k := d.listener.State("va-001").Acks["alerts/still"]
		return k != nil && k.State == wire.AckEnded
	})
	until := int64(c.alert("brief").Until)
	d.stop(t)
	stopped = true
	eventually(t, "it ends without a network", func() bool { return a.last(t).Why == timeline.WhyProgram })
	all := a.changes(t)
	for k := len(all) - 1; k > 0; k-- {
		if all[k-1].Item == "brief" {
			// A deadline is never raised: a signed time that sets the clock back by
			// its half round trip leaves the end as early as that.
			if late := all[k].AtMS - until*1000; late < -100 || late > 500 {
				t.Errorf("it ended %d ms after its time", late)
			}
			break
		}
	}
	a.stop(t)
}

// A frame that one sign lost delays nobody's cancel.
func TestCancelBesideALostFrame(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	a := attach(t, c.ownSign("va-001", "quang-ngai/son-tinh"), t.TempDir(), t.TempDir())
	defer a.stop(t)
	eventually(t, "the attached sign plays", func() bool { return a.last(t).Why == timeline.WhyProgram })
	c.approved(order("first", time.Now().Add(time.Hour), nil))
	eventually(t, "it shows", func() bool { return a.last(t).Item == "first" })
	// A set whose alert names a frame that no broker has, signed as ours are.
	ours, _ := d.publisher.AlertSet("128x64-rgb", false)
	set := *ours
	set.Alerts = slices.Clone(ours.Alerts)
	lost := set.Alerts[0]
	lost.ID, lost.Priority, lost.Frames = "lost", 900, slices.Clone(lost.Frames)
	lost.Frames[0].SHA256 = wire.Digest([]byte("no such frame"))
	set.Alerts = append(set.Alerts, lost)
	key, epoch, err := d.keyring.Signer(wire.RoleAlerts)
	if err != nil {
		t.Fatal(err)
	}
	set.Header = wire.NewHeader(wire.RoleAlerts, epoch, ours.Seq+1, time.Now().Unix(), wire.LifeAlerts)
	doc, err := wire.Seal(key, wire.TypAlerts, &set)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.link.Publish(t.Context(), link.Message{Topic: wire.AlertsTopic("128x64-rgb", false),
		Payload: doc, QoS: 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the frame is missed", func() bool {
		k := d.listener.State("va-001").Acks["alerts/lost"]
		return k != nil && k.Reason == wire.MissingFrame
	})
	asked := time.Now()
	c.want("author", "POST", "/api/v1/alerts/first/cancel", map[string]bool{}, 200, nil)
	eventually(t, "the cancel arrives", func() bool { return a.last(t).Why == timeline.WhyProgram })
	all := a.changes(t)
	for k := len(all) - 1; k > 0; k-- {
		if all[k-1].Item == "first" {
			t.Logf("the cancel took %d ms", all[k].AtMS-asked.UnixMilli())
			break
		}
	}
}
