package publish

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"ledcast/sign/wire"
)

// Requester sends signed requests to signs. It signs queued requests in one
// batch, with one sync of the disk.
type Requester struct {
	o  Options
	in chan wire.SignRequest
}

// NewRequester returns a requester. Run does the work.
func NewRequester(o Options) *Requester {
	return &Requester{o: o, in: make(chan wire.SignRequest, 4096)}
}

// Ask queues a request, which must have the sign, the op and what the op needs.
// For OpTime, AtMS is set just before signing. Ask never blocks; it returns false
// if the queue is full.
func (r *Requester) Ask(q wire.SignRequest) bool {
	select {
	case r.in <- q:
		return true
	default:
		return false
	}
}

// Run sends requests until ctx ends.
func (r *Requester) Run(ctx context.Context) {
	var limiter logLimiter
	for {
		var batch []wire.SignRequest
		select {
		case <-ctx.Done():
			return
		case q := <-r.in:
			batch = append(batch, q)
		}
		for more := true; more && len(batch) < 1000; {
			select {
			case q := <-r.in:
				batch = append(batch, q)
			default:
				more = false
			}
		}
		if err := r.send(ctx, batch); err != nil && ctx.Err() == nil {
			r.o.Log.Log(ctx, limiter.level(err, r.o.Now()), "sending requests failed", "signs", len(batch), "err", err)
		}
	}
}

func (r *Requester) send(ctx context.Context, batch []wire.SignRequest) error {
	if _, doubted := r.o.doubt(); doubted {
		// A wrong time would reach all signs, and signs with the right time would refuse the request.
		return nil
	}
	key, epoch, err := r.o.Keys.Signer(wire.RoleRequest)
	if err != nil {
		return err
	}
	signs := make([]string, len(batch))
	for i, q := range batch {
		signs[i] = q.Sign
	}
	now := r.o.Now()
	seqs, err := r.o.Ledger.NextSeqs(ctx, wire.RoleRequest, signs, epoch, now.UnixMilli())
	if err != nil {
		return err
	}
	for i, q := range batch {
		now := r.o.Now()
		q.Header = wire.NewHeader(wire.RoleRequest, epoch, seqs[i], now.Unix(), wire.LifeRequest)
		q.ID = newID()
		if q.Op == wire.OpTime {
			q.AtMS = now.UnixMilli()
			if _, doubted := r.o.doubt(); doubted {
				return nil
			}
		}
		doc, err := wire.Seal(key, wire.TypRequest, q)
		if err != nil {
			return err
		}
		c, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = r.o.Broker.Publish(c, wire.SignTopic(q.Sign, wire.LeafRequest), doc, false)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	return hex.EncodeToString(b[:])
}
