package box

import (
	"math"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// A clock that is set by more than this ends a record. A smaller step stays within what a report allows for at a
// quarter of an hour.
const (
	setBack    = -500   // ms
	setForward = 10_000 // ms
)

// note logs what was put out. A full disk costs the proof, never the face.
func (b *Box) note(shown *timeline.Shown, mono int64) {
	now := b.player.Clock.Now(mono)
	if err := b.settle(now); err != nil {
		b.fault("disk", err)
	}
	if err := b.proof.begin(shown, now); err != nil {
		b.fault("disk", err)
	}
}

// notOut logs that an output failed. What was on before is not proven any longer either.
func (b *Box) notOut(mono int64) {
	if err := b.proof.end(b.player.Clock.Now(mono)); err != nil {
		b.fault("disk", err)
	}
}

// settle makes the records that are due, each to the end of its quarter of an
// hour: so none straddles the edge of a day or of a report.
func (b *Box) settle(now int64) error {
	for {
		until, ok := b.proof.due(now)
		if !ok {
			return nil
		}
		if err := b.record(until, until); err != nil {
			return err
		}
	}
}

// closeCutOff makes the record of a run that was cut off. If the disk is full, the plays of that run become part of
// this run's first record.
func (b *Box) closeCutOff(mono int64) {
	until, ok := b.proof.cutOff()
	if !ok {
		return
	}
	if err := b.record(until, b.player.Clock.Now(mono)); err != nil {
		b.fault("disk", err)
	}
}

// clockSet logs that the clock was set from before to now (Unix ms). A leap ends the record. If the clock was not
// trusted, the times of this run were wrong by the leap, and the record has them corrected.
func (b *Box) clockSet(before, now int64, trusted bool) {
	if before == now {
		return
	}
	err := b.proof.moved(before, now)
	if leap := now - before; err == nil && (leap < setBack || leap > setForward) {
		until := before
		if !trusted && b.proof.fromMS >= b.proof.bornMS {
			b.proof.fromMS += leap
			until = now
		}
		err = b.record(until, now)
	}
	b.proof.bornMS = min(b.proof.bornMS, now)
	if err != nil {
		b.fault("disk", err)
	}
}

// prove makes a record when one is due and sends the oldest one again every 60 s. It returns the mono of its next call.
func (b *Box) prove(mono int64, force bool) int64 {
	now := b.player.Clock.Now(mono)
	err := b.settle(now)
	if err == nil && force {
		err = b.record(now, now)
	}
	if err != nil {
		b.fault("disk", err)
		return mono + resendEvery
	}
	if b.conn != nil && mono >= b.proofAt {
		if n, doc := b.proof.oldest(); n > 0 {
			b.publish(wire.LeafPlayed, doc, false)
			b.proofAt = mono + resendEvery
		} else {
			b.proofAt = math.MaxInt64
		}
	}
	next := mono + (now/recordEvery+1)*recordEvery - now
	if b.conn != nil {
		next = min(next, b.proofAt)
	}
	return max(next, mono+1)
}

// record stores the record of what was on until then: first its file, then the chain's end in the state. Then the
// journal begins anew at next. If a power cut comes before the state is stored, the record is made again.
func (b *Box) record(until, next int64) error {
	p, err := b.proof.record(b.cfg.Sign, until)
	if err != nil {
		return err
	}
	if p == nil {
		return b.proof.stored(next)
	}
	doc, err := wire.Seal(b.key, wire.TypPlayed, p)
	if err != nil {
		return err
	}
	if err := b.disk.write(b.proof.dir, recordName(p.N), doc); err != nil {
		return err
	}
	b.proof.keep(p.N)
	before := b.disk.state.Chain
	b.disk.state.Chain = chain{ID: p.Chain, N: p.N, Prev: wire.Digest(doc)}
	if err := b.disk.save(); err != nil {
		b.disk.state.Chain = before
		return err
	}
	b.proof.expire(until)
	b.proofAt = min(b.proofAt, b.times.Mono())
	return b.proof.stored(next)
}
