package publish

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"ledcast/playlists"
	"ledcast/sign/wire"
)

// RepairEvery is the shortest time between two repairs of a topic, whichever signs are silent.
const RepairEvery = 5 * time.Minute

// renewEvery is how often unchanged keys and alert sets are published again, plus or minus a tenth.
const renewEvery = time.Hour

// Lacking reports what signs are missing.
type Lacking interface {
	Online(sign string) bool
	// Lacks reports whether a sign lacks the key or frames of a document. alert is "" for the document itself.
	Lacks(sign, role, alert string) (keys, frames bool)
}

// Repair publishes again what silent signs should have: a broker can lose retained messages while the connection is
// up, and only missing acks show it. Repair publishes the program of each silent sign. It publishes the alert set of a
// class only if two of its signs, or all that are online, are silent, so that one faulty sign does not repeat a set to
// thousands. It publishes keys and frames if a sign lacks them. all lists every sign that is silent now.
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
		if frames { // the ack names only the first missing frame
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
		p.o.Log.Info("signs do not ack; publishing their retained messages again",
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

// silentAlertTopics returns the topics of the alert sets and alert frames that silent signs should have. It adds the
// topic of the keys to others.
func (p *Publisher) silentAlertTopics(all []Silent, others map[string]bool) map[string]bool {
	topics := map[string]bool{}
	silent := map[string]map[string]bool{} // Silent.What → signs
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
				for j := range set.set.Alerts {
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

// markLost marks sent topics to be published again, unless they were repaired within RepairEvery, and counts them. The
// broker may still hold them, so they stay in p.sent and can be cleared later.
func (p *Publisher) markLost(topics map[string]bool) (n int) {
	now := p.o.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic, at := range p.repaired {
		if age := now.Sub(at); age >= RepairEvery || age < 0 {
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

// renewDue marks topics to be published again when their hour has passed. The hours are jittered per topic, so that
// not all signs get a message at once.
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

// wake makes Run sync without a request, so that Ready stays true.
func (p *Publisher) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// WakeAlerts makes RunAlerts sync without a request.
func (p *Publisher) WakeAlerts() {
	select {
	case p.alerts.kick <- struct{}{}:
	default:
	}
}

// logEvery is how often the same error is logged.
const logEvery = 5 * time.Minute

// logLimiter limits the warnings of an operation that is retried: the first error, a different error after a minute,
// and the same error every 5 min. It never warns of ErrNoBroker, which the connection logs.
type logLimiter struct {
	last string
	at   time.Time
}

func (t *logLimiter) level(err error, now time.Time) slog.Level {
	since := now.Sub(t.at)
	if errors.Is(err, ErrNoBroker) || playlists.IsAway(err) ||
		t.last != "" && since >= 0 && (since < time.Minute || since < logEvery && t.last == err.Error()) {
		return slog.LevelDebug
	}
	t.last, t.at = err.Error(), now
	return slog.LevelWarn
}
