package publish

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// errDoubt is why something is not issued while the clock is in doubt.
var errDoubt = errors.New("the clock is in doubt, and nothing new is issued")

// doubt reports whether the clock is in doubt, and the best guess of the time.
func (o *Options) doubt() (guess time.Time, doubted bool) {
	if o.Doubt == nil {
		return time.Time{}, false
	}
	return o.Doubt()
}

// draftCancel is a class's set without what people have cancelled, or nil where nothing was. All else stays as it was
// issued last: what begins or ends by itself does so by the clock, which is in doubt.
func (p *Publisher) draftCancel(ctx context.Context, k setKey, class playlists.Class, guess time.Time) (*draftedSet,
	error) {
	p.alerts.mu.Lock()
	last := p.alerts.sets[k]
	p.alerts.mu.Unlock()
	if last.Seq == 0 || len(last.set.Alerts) == 0 {
		return nil, nil
	}
	for _, a := range last.set.Alerts { // after a start nothing else has them
		if art, err := p.o.Alerts.Art(ctx, a.ID, class); err == nil && art != nil {
			for i := range art.Frames {
				p.keepFrames([]*playlists.FrameFile{&art.Frames[i]})
			}
		}
	}
	// By the time of the last set no alert of it is over.
	_, ended, _ := p.o.Alerts.Wanted(time.Unix(last.Iat, 0))
	set := &timeline.AlertSet{Class: k.class, Alerts: []timeline.Alert{}, Ended: slices.Clone(last.set.Ended)}
	for i := range last.set.Alerts {
		a := last.set.Alerts[i]
		at := slices.IndexFunc(ended, func(e playlists.EndedAlert) bool {
			return e.ID == a.ID && e.Why == playlists.EndCancelled
		})
		if at < 0 {
			set.Alerts = append(set.Alerts, a)
		} else {
			set.Ended = append(set.Ended, ended[at].Ended)
		}
	}
	if len(set.Alerts) == len(last.set.Alerts) {
		return nil, nil
	}
	slices.SortFunc(set.Ended, func(a, b timeline.Ended) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	return &draftedSet{key: k, set: set, digest: wire.Digest(text), iat: max(guess.Unix(), last.Iat)}, nil
}
