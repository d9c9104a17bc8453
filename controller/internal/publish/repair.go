package publish

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"ledcast/sign/wire"
)

// RepairEvery is how often one topic is published again at most because signs are silent, whoever asks.
const RepairEvery = 5 * time.Minute

// renewEvery is how often keys and alert sets are published again without a reason, give or take a tenth.
const renewEvery = time.Hour

// Lacking is what signs say that they have not got.
type Lacking interface {
	Online(sign string) bool
	// Lacks says whether a sign has no key that fits, and whether frames of a document are missing there. alert is ""
	// for the document itself.
	Lacks(sign, role, alert string) (keys, frames bool)
}

// Repair has what silent signs should have published again: a broker may lose what it retained without losing a
// connection, and nothing but the missing acks tells. Of one sign that is its program; of a class its alert set, where
// two signs of it are silent or all that are online, so that one odd sign does not repeat a set to thousands. The keys
// and frames follow where a sign says that it lacks them. all holds every sign that is silent now.
func (p *Publisher) Repair(all []Silent) {
	if p.o.Lacking == nil {
		return
	}
	topics := map[string]bool{}
	alerts := p.silentAlertTopics(all, topics)
	for _, s := range all {
		if s.What != wire.RoleProgram {
			continue
		}
		topics[wire.SignTopic(s.Sign, wire.LeafProgram)] = true
		keys, frames := p.o.Lacking.Lacks(s.Sign, wire.RoleProgram, "")
		if keys {
			topics[wire.TopicKeys] = true
		}
		if frames { // it names the first one only
			p.mu.Lock()
			if plan := p.plans[s.Sign]; plan != nil {
				for _, f := range plan.files {
					topics[wire.FrameTopic(f.Owner, f.SHA256)] = true
				}
			}
			p.mu.Unlock()
		}
	}
	programs := p.markLost(topics)
	sets := p.markLost(alerts)
	if programs+sets > 0 {
		p.o.Log.Info("signs do not answer; what the broker should hold for them is published again",
			"signs", signsOf(all), "topics", programs+sets)
	}
	if programs > 0 {
		p.wake()
	}
	if sets > 0 {
		p.WakeAlerts()
	}
}

func signsOf(all []Silent) int {
	signs := map[string]bool{}
	for _, s := range all {
		signs[s.Sign] = true
	}
	return len(signs)
}

// silentAlertTopics are the topics of alert sets, and of alerts' frames, that silent signs should have. The keys go to
// others.
func (p *Publisher) silentAlertTopics(all []Silent, others map[string]bool) map[string]bool {
	topics := map[string]bool{}
	silent := map[string]map[string]bool{} // by what: a role, or an alert
	for _, s := range all {
		if silent[s.What] == nil {
			silent[s.What] = map[string]bool{}
		}
		silent[s.What][s.Sign] = true
	}
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	for k, set := range p.alerts.sets {
		c := p.alerts.classes[k.class]
		if set.Seq == 0 || c == nil {
			continue
		}
		what := []string{k.role()}
		for i := range set.set.Alerts {
			what = append(what, AlertAck+set.set.Alerts[i].ID)
		}
		quiet, online := 0, 0
		for i := range c.signs {
			x := &c.signs[i]
			if x.Picture() || k.test && !x.Test {
				continue
			}
			is := false
			for _, w := range what {
				if !silent[w][x.ID] {
					continue
				}
				is = true
				id, _ := strings.CutPrefix(w, AlertAck)
				if w == k.role() {
					id = ""
				}
				keys, frames := p.o.Lacking.Lacks(x.ID, k.role(), id)
				if keys {
					others[wire.TopicKeys] = true
				}
				if !frames {
					continue
				}
				for j := range set.set.Alerts { // those that no other sign waits for reach nobody else
					if a := &set.set.Alerts[j]; a.ID == id {
						for _, f := range a.Frames {
							topics[wire.AlertFrameTopic(k.class, k.test, f.SHA256)] = true
						}
					}
				}
			}
			if is {
				quiet++
			}
			if is || quiet < 2 && p.o.Lacking.Online(x.ID) {
				online++
			}
		}
		if quiet >= 2 || quiet > 0 && quiet == online {
			topics[wire.AlertsTopic(k.class, k.test)] = true
		}
	}
	return topics
}

// forget takes topics for lost that this connection's broker was sent, unless that was done lately, and counts them.
// They may be there, so what has to be cleared later still is.
func (p *Publisher) markLost(topics map[string]bool) (n int) {
	now := p.o.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic, at := range p.repaired {
		if gone := now.Sub(at); gone >= RepairEvery || gone < 0 {
			delete(p.repaired, topic)
		}
	}
	for topic := range topics {
		if _, lately := p.repaired[topic]; lately || p.sent[topic] == "" {
			continue
		}
		p.repaired[topic] = now
		p.sent[topic] = unknown
		n++
	}
	return n
}

// renew takes topics for lost whose hour has passed. They have hours of their own, so that not all signs are told at
// once.
func (p *Publisher) renewDue(topics ...string) {
	now := p.o.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, topic := range topics {
		at, known := p.renewAt[topic]
		if known && now.Before(at) && at.Sub(now) <= 2*renewEvery {
			continue
		}
		p.renewAt[topic] = now.Add(renewEvery*9/10 + rand.N(renewEvery/5))
		if known && p.sent[topic] != "" {
			p.sent[topic] = unknown
		}
	}
}

// wake has Run compare again, and asks for nothing new: the broker is not behind by it.
func (p *Publisher) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// WakeAlerts has RunAlerts compare again, likewise.
func (p *Publisher) WakeAlerts() {
	select {
	case p.alerts.kick <- struct{}{}:
	default:
	}
}

// logEvery is how often the same trouble is logged.
const logEvery = 5 * time.Minute

// trouble decides what is logged of something that is tried again and again: its first failure, a failure with other
// words a minute later, and the same one every 5 min. That there is no connection is the link's to say.
type logLimiter struct {
	said string
	at   time.Time
}

func (t *logLimiter) level(err error, now time.Time) slog.Level {
	since := now.Sub(t.at)
	if errors.Is(err, ErrNoBroker) ||
		t.said != "" && since >= 0 && (since < time.Minute || since < logEvery && t.said == err.Error()) {
		return slog.LevelDebug
	}
	t.said, t.at = err.Error(), now
	return slog.LevelWarn
}
