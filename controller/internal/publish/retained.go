package publish

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"ledcast/sign/wire"
)

// Topics stores which topics the broker may retain for us, each with the time
// since when it is unused (Unix ms; 0: in use). An outside broker keeps them over
// restarts, and only Topics knows what to clear.
type Topics interface {
	All(ctx context.Context) (map[string]int64, error)
	Put(ctx context.Context, topics map[string]int64) error
	Remove(ctx context.Context, topics ...string) error
}

// memoryTopics is a Topics for a broker that stops with the publisher.
type memoryTopics map[string]int64

func (m memoryTopics) All(context.Context) (map[string]int64, error) { return maps.Clone(m), nil }
func (m memoryTopics) Put(_ context.Context, topics map[string]int64) error {
	maps.Copy(m, topics)
	return nil
}
func (m memoryTopics) Remove(_ context.Context, topics ...string) error {
	for _, t := range topics {
		delete(m, t)
	}
	return nil
}

// remember stores topics before anything is retained on them. Only Reconcile may
// call it.
func (p *Publisher) remember(ctx context.Context, topics []string) error {
	if p.topics == nil {
		all, err := p.o.Topics.All(ctx)
		if err != nil {
			return err
		}
		p.topics = all
	}
	fresh := map[string]int64{}
	for _, t := range topics {
		if since, known := p.topics[t]; !known || since != 0 {
			fresh[t] = 0
		}
	}
	if err := p.o.Topics.Put(ctx, fresh); err != nil {
		return err
	}
	maps.Copy(p.topics, fresh)
	return nil
}

// clean clears unused topics: frames after FrameGrace, and at once the topics of
// signs that were removed or changed their mode.
func (p *Publisher) clean(ctx context.Context, wanted map[string]bool) error {
	now := p.o.Now().UnixMilli()
	_, doubted := p.o.doubt() // how old something is, is not known then
	var gone []string
	since := map[string]int64{}
	old := false
	for topic, at := range p.topics {
		switch {
		case wanted[topic]:
		case !isFrame(topic):
			gone = append(gone, topic)
		case doubted:
		case at == 0:
			since[topic] = now
		case now-at >= FrameGrace.Milliseconds():
			gone, old = append(gone, topic), true
		}
	}
	if old { // rare; this run may not know all programs, so read the stored ones
		needed, err := p.neededFrames(ctx)
		if err != nil {
			return err
		}
		kept := gone[:0]
		for _, topic := range gone {
			if needed[topic] {
				since[topic] = 0
			} else {
				kept = append(kept, topic)
			}
		}
		gone = kept
	}
	if err := p.o.Topics.Put(ctx, since); err != nil {
		return err
	}
	maps.Copy(p.topics, since)
	for _, topic := range gone {
		if err := p.o.Broker.Publish(ctx, topic, nil, true); err != nil {
			return fmt.Errorf("clear %s: %w", topic, err)
		}
		p.mu.Lock()
		delete(p.sent, topic)
		p.mu.Unlock()
	}
	if err := p.o.Topics.Remove(ctx, gone...); err != nil {
		return err
	}
	for _, topic := range gone {
		delete(p.topics, topic)
	}
	return nil
}

// neededFrames returns the frames of programs that signs may still have. For a
// sign that has not acked its current program, these are the programs from the
// last acked one on, or of the longest life of a program if that is unknown.
func (p *Publisher) neededFrames(ctx context.Context) (map[string]bool, error) {
	p.mu.Lock()
	plans := maps.Clone(p.plans)
	p.mu.Unlock()
	needed := map[string]bool{}
	for id, plan := range plans {
		if plan.Sign.Picture() {
			continue
		}
		var acked int64
		if p.o.Acked != nil {
			acked = p.o.Acked(id)
		}
		if acked >= plan.seq {
			continue
		}
		from := p.o.Now().Add(-wire.LifeProgram * time.Second).Unix()
		if acked > 0 {
			from = acked / 1000 // a seq is at least its iat in ms; Programs returns what was in force then
		}
		programs, err := p.o.Ledger.Programs(ctx, id, from, p.o.Now().Unix()+1)
		if err != nil {
			return nil, err
		}
		for _, g := range programs {
			if g.Seq < acked {
				continue
			}
			for i := range g.Frames {
				needed[wire.FrameTopic(g.Frames[i].Owner, g.Frames[i].SHA256)] = true
			}
		}
	}
	return needed, nil
}

func isFrame(topic string) bool { return strings.HasPrefix(topic, wire.Prefix+"frames/") }
