package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// draftedSet is a set that is not issued yet.
type draftedSet struct {
	key    setKey
	set    *timeline.AlertSet
	digest string
	frames []*playlists.FrameFile
	iat    int64 // Unix seconds; 0 for now
}

// draftSet returns a class's new set, or nil if the last one is still right. An
// alert that cannot be drawn stays as it was in the last set and is an error.
func (p *Publisher) draftSet(ctx context.Context, k setKey, c *classSigns, alerts []playlists.Alert,
	ended []playlists.EndedAlert, now time.Time) (*draftedSet, error) {
	p.alerts.mu.Lock()
	last := p.alerts.sets[k]
	p.alerts.mu.Unlock()
	d := &draftedSet{key: k, set: &timeline.AlertSet{Class: k.class, Alerts: []timeline.Alert{},
		Ended: []timeline.Ended{}}}
	var errs []error
	for i := range alerts {
		a := &alerts[i]
		if a.Test() != k.test || !slices.ContainsFunc(c.signs, func(s playlists.Sign) bool { return a.Reaches(&s) }) {
			continue
		}
		art, err := p.o.Alerts.Art(ctx, a.ID, c.class)
		if err != nil || art == nil {
			if err != nil {
				errs = append(errs, fmt.Errorf("alert %s: %w", a.ID, err))
			}
			for _, old := range last.set.Alerts {
				if old.ID == a.ID {
					d.set.Alerts = append(d.set.Alerts, old)
				}
			}
			continue
		}
		on := a.OnWire(art, func(s string) bool { return c.ids[s] })
		if err := wire.CheckAlerts(&timeline.AlertSet{Class: k.class, Alerts: []timeline.Alert{on}}); err != nil {
			// Signs refuse the whole set for one bad alert.
			errs = append(errs, fmt.Errorf("alert %s is left out, as signs would refuse it: %w", a.ID, err))
			continue
		}
		d.set.Alerts = append(d.set.Alerts, on)
		for i := range art.Frames {
			d.frames = append(d.frames, &art.Frames[i])
		}
	}
	for _, e := range ended {
		inLast := slices.ContainsFunc(last.set.Alerts, func(a timeline.Alert) bool { return a.ID == e.ID }) ||
			slices.ContainsFunc(last.set.Ended, func(x timeline.Ended) bool { return x.ID == e.ID })
		if e.Alert.Test() == k.test && inLast {
			d.set.Ended = append(d.set.Ended, e.Ended)
		}
	}
	slices.SortFunc(d.set.Alerts, func(a, b timeline.Alert) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(d.set.Ended, func(a, b timeline.Ended) int { return strings.Compare(a.ID, b.ID) })
	errs = append(errs, dropOverLimit(d.set)...)
	text, err := json.Marshal(d.set)
	if err != nil {
		return nil, err
	}
	d.digest = wire.Digest(text)
	empty := len(d.set.Alerts)+len(d.set.Ended) == 0
	_, epoch, err := p.o.Keys.Signer(k.role())
	switch {
	case err != nil:
		return nil, err
	case last.Seq == 0 && empty: // there was never one
		return nil, errors.Join(errs...)
	case last.Seq > 0 && last.Digest == d.digest && (empty || last.Epoch == epoch &&
		now.Unix()-last.Iat < wire.LifeAlerts/2 && now.Unix() >= last.Iat-wire.Early):
		p.keepFrames(d.frames)
		return nil, errors.Join(errs...)
	}
	return d, errors.Join(errs...)
}

// dropOverLimit drops the alerts of the lowest priority until the set is within
// the limits of its class. Approval checks these limits, but signs may have been
// added since. Signs would refuse the whole set.
func dropOverLimit(set *timeline.AlertSet) (errs []error) {
	for {
		err := playlists.CheckClass(set.Class, set.Alerts)
		if err == nil {
			return errs
		}
		lowest := 0
		for i := range set.Alerts {
			if set.Alerts[i].Priority < set.Alerts[lowest].Priority {
				lowest = i
			}
		}
		errs = append(errs, fmt.Errorf("alert %s: %w", set.Alerts[lowest].ID, err))
		set.Alerts = slices.Delete(set.Alerts, lowest, lowest+1)
	}
}

func (p *Publisher) keepFrames(files []*playlists.FrameFile) {
	p.alerts.mu.Lock()
	defer p.alerts.mu.Unlock()
	for _, f := range files {
		p.alerts.frames[f.SHA256] = f
	}
}

// issueSets signs and stores all drafts or none.
func (p *Publisher) issueSets(ctx context.Context, drafts []*draftedSet, now time.Time) error {
	ctx = playlists.Urgent(ctx)
	if len(drafts) == 0 {
		return nil
	}
	toIssue := make([]playlists.Draft, len(drafts))
	keys := map[string][]byte{}
	for i, d := range drafts {
		key, epoch, err := p.o.Keys.Signer(d.key.role())
		if err != nil {
			return err
		}
		keys[d.key.role()] = key
		iatMS := now.UnixMilli()
		if d.iat != 0 {
			iatMS = d.iat * 1000
		}
		toIssue[i] = playlists.Draft{Role: d.key.role(), Subject: d.key.class, Epoch: epoch, IatMS: iatMS,
			Exp: iatMS/1000 + wire.LifeAlerts, Digest: d.digest, Keep: true}
	}
	issued, err := p.o.Ledger.Issue(ctx, toIssue, func(i int, seq int64) ([]byte, error) {
		d := drafts[i]
		d.set.Header = wire.NewHeader(d.key.role(), toIssue[i].Epoch, seq, toIssue[i].IatMS/1000, wire.LifeAlerts)
		return wire.Seal(keys[d.key.role()], d.key.typ(), d.set)
	})
	if err != nil {
		return fmt.Errorf("issue alert sets: %w", err)
	}
	for i, d := range drafts {
		p.keepFrames(d.frames)
		p.alerts.mu.Lock()
		p.alerts.sets[d.key] = &issuedSet{issued[i], d.set}
		p.alerts.mu.Unlock()
		p.o.Log.Info("alert set issued", "class", d.key.class, "test", d.key.test, "seq", issued[i].Seq, "alerts",
			len(d.set.Alerts), "ended", len(d.set.Ended))
	}
	p.alerts.mu.Lock()
	close(p.alerts.changed) // picture signs do not wait for the broker
	p.alerts.changed = make(chan struct{})
	p.alerts.mu.Unlock()
	return nil
}

// publishSets publishes what the broker lacks, clears empty sets that have
// expired, and removes frames that no set references.
func (p *Publisher) publishSets(ctx context.Context, now time.Time) error {
	p.alerts.mu.Lock()
	sets := make(map[setKey]*issuedSet, len(p.alerts.sets))
	var topics []string
	for k, s := range p.alerts.sets {
		sets[k] = s
		if s.Seq > 0 {
			topics = append(topics, wire.AlertsTopic(k.class, k.test))
		}
	}
	p.alerts.mu.Unlock()
	p.renewDue(topics...)
	referenced, digests := map[string]bool{}, map[string]bool{}
	keys, ready := p.byMissingFrames(sets)
	whole := map[setKey]bool{}
	// First the sets that need no new frames. Then the frames of all other sets
	// before any of these sets: acks of one class must not delay another's frames.
	for _, some := range [][]setKey{keys[:ready], keys[ready:]} {
		// Publish in parallel: an outside broker delivers its PUBACK behind the
		// acks of thousands of signs.
		frames, send := errgroup.WithContext(ctx)
		frames.SetLimit(inFlight)
		for _, k := range some {
			whole[k] = p.publishFrames(send, frames, k, sets[k], referenced, digests)
		}
		if err := frames.Wait(); err != nil {
			return err
		}
		docs, send := errgroup.WithContext(ctx)
		docs.SetLimit(inFlight)
		for _, k := range some {
			docs.Go(func() error { return p.publishSet(send, k, sets[k], whole[k], now) })
		}
		if err := docs.Wait(); err != nil {
			return err
		}
	}
	var gone []string
	p.mu.Lock()
	for topic := range p.sent {
		if isAlertFrame(topic) && !referenced[topic] {
			gone = append(gone, topic)
		}
	}
	p.mu.Unlock()
	for _, topic := range gone {
		if err := p.unretain(ctx, topic); err != nil {
			return err
		}
	}
	p.alerts.mu.Lock()
	for sha := range p.alerts.frames {
		if !digests[sha] {
			delete(p.alerts.frames, sha)
		}
	}
	p.alerts.mu.Unlock()
	return nil
}

// publishFrames publishes a set's frames in g, and adds their topics to
// referenced and their digests to digests. whole is false if a frame is missing.
func (p *Publisher) publishFrames(ctx context.Context, g *errgroup.Group, k setKey, s *issuedSet, referenced,
	digests map[string]bool) (whole bool) {
	whole = true
	for i := range s.set.Alerts {
		for _, f := range s.set.Alerts[i].Frames {
			at := wire.AlertFrameTopic(k.class, k.test, f.SHA256)
			sent := referenced[at] // another alert has the same frame
			referenced[at], digests[f.SHA256] = true, true
			file := p.Frame(f.SHA256)
			if file == nil { // it could not be drawn again after a restart
				whole = false
				continue
			}
			if !sent {
				g.Go(func() error { return p.retainAlert(ctx, at, f.SHA256, file.Data) })
			}
		}
	}
	return whole
}

// publishSet publishes a set after its frames, or clears an empty set that has
// expired.
func (p *Publisher) publishSet(ctx context.Context, k setKey, s *issuedSet, whole bool, now time.Time) error {
	topic := wire.AlertsTopic(k.class, k.test)
	switch {
	case s.Seq == 0:
		return nil
	case s.empty() && now.Unix() >= s.Exp:
		return p.unretain(ctx, topic)
	}
	if err := p.retainAlert(ctx, topic, wire.Digest(s.JWS), s.JWS); err != nil {
		return err
	}
	if whole {
		p.o.Alerts.Published(s.set, k.test)
	}
	p.expectSet(k, s)
	return nil
}

// byMissingFrames sorts sets by the bytes of frames to publish before them. The
// first ready sets need none: a cancel does not wait for another class's frames.
func (p *Publisher) byMissingFrames(sets map[setKey]*issuedSet) (keys []setKey, ready int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := map[setKey]int64{}
	for k, s := range sets {
		keys = append(keys, k)
		for i := range s.set.Alerts {
			for _, f := range s.set.Alerts[i].Frames {
				if p.sent[wire.AlertFrameTopic(k.class, k.test, f.SHA256)] != f.SHA256 {
					missing[k] += f.Len
				}
			}
		}
	}
	slices.SortFunc(keys, func(a, b setKey) int {
		if missing[a] != missing[b] {
			return int(missing[a] - missing[b])
		}
		return strings.Compare(a.class, b.class)
	})
	for ready < len(keys) && missing[keys[ready]] == 0 {
		ready++
	}
	return keys, ready
}

// expectSet registers the acks that signs should send for a set.
func (p *Publisher) expectSet(k setKey, s *issuedSet) {
	if p.o.Expect == nil || s.empty() {
		return
	}
	p.alerts.mu.Lock()
	c := p.alerts.classes[k.class]
	p.alerts.mu.Unlock()
	if c == nil {
		return
	}
	for i := range c.signs {
		if x := &c.signs[i]; !x.Picture() && (!k.test || x.Test) {
			p.o.Expect(x.ID, k.role(), s.Seq)
			for j := range s.set.Alerts {
				if a := &s.set.Alerts[j]; a.Reaches(x.ID, x.Areas) {
					p.o.Expect(x.ID, AlertAck+a.ID, 1)
				}
			}
		}
	}
}

// retainAlert publishes a payload unless this connection has sent it already.
func (p *Publisher) retainAlert(ctx context.Context, topic, digest string, payload []byte) error {
	p.mu.Lock()
	same := p.sent[topic] == digest
	p.mu.Unlock()
	if same {
		return nil
	}
	return p.retain(ctx, wanted{topic, digest, func(context.Context) ([]byte, error) { return payload, nil }})
}

// unretain clears a topic that the broker holds.
func (p *Publisher) unretain(ctx context.Context, topic string) error {
	p.mu.Lock()
	held := p.sent[topic] != ""
	p.mu.Unlock()
	if !held {
		return nil
	}
	if err := p.o.Broker.Publish(ctx, topic, nil, true); err != nil {
		return fmt.Errorf("clear %s: %w", topic, err)
	}
	p.mu.Lock()
	delete(p.sent, topic)
	p.mu.Unlock()
	return nil
}
