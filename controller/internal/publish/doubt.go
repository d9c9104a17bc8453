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

// errDoubt is returned when a document is not issued because the clock is in doubt.
var errDoubt = errors.New("the clock is in doubt; nothing new is issued")

// doubt reports whether the clock is in doubt, and the best estimate of the time.
func (o *Options) doubt() (guess time.Time, doubted bool) {
	if o.Doubt == nil {
		return time.Time{}, false
	}
	return o.Doubt()
}

// draftCancel returns a class's last set without the alerts that people cancelled since, or nil if there are none.
// Nothing else changes: alerts begin and end by the clock, which is in doubt.
func (p *Publisher) draftCancel(ctx context.Context, k setKey, class playlists.Class, guess time.Time) (*draftedSet,
	error) {
	p.alerts.mu.Lock()
	last := p.alerts.sets[k]
	p.alerts.mu.Unlock()
	if last.Seq == 0 || len(last.set.Alerts) == 0 {
		return nil, nil
	}
	for _, a := range last.set.Alerts { // after a restart the frames are not loaded yet
		if art, err := p.o.Alerts.Art(ctx, a.ID, class); err == nil && art != nil {
			for i := range art.Frames {
				p.keepFrames([]*playlists.FrameFile{&art.Frames[i]})
			}
		}
	}
	// At the time of the last set none of its alerts was over.
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
