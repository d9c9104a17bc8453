package app

import (
	"context"
	"strings"
	"time"

	"ledcast/assets"
	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// openAlerts opens the alerts and hands them to publisher and listener.
func (a *App) openAlerts(ctx context.Context) error {
	seed, err := playlists.ParseTemplates("assets/templates.yaml", assets.Templates)
	if err != nil {
		return err
	}
	a.alerts, err = alert.Open(ctx, alert.Options{Records: records{a.store, a.now}, Catalogue: alertCatalogue{a.catalogue(), a}, Artist: alertArtist{a.artist},
		History: alertHistory{a.store}, Changed: func() { a.publisher.KickAlerts() }, Now: a.now, Log: a.log, Hooks: a.o.Webhooks}, seed)
	return err
}

// startAlerts runs them.
func (a *App) startAlerts(run func(func(context.Context))) {
	run(a.alerts.Run)
	run(a.alerts.RunFeeds)
	run(a.publisher.RunAlerts)
	run(a.resync.Run)
}

// heardAck counts what a sign says of an alert.
func (a *App) heardAck(sign string, k *wire.Ack) {
	if k.Role != wire.RoleAlerts && k.Role != wire.RoleAlertsTest {
		return
	}
	a.alerts.Heard(alert.Ack{Sign: sign, Test: k.Role == wire.RoleAlertsTest, Seq: k.Seq, Alert: k.Alert, State: string(k.State), Reason: string(k.Reason)})
}

// newResync asks silent signs by requests of their own.
func (a *App) newResync() *publish.Resync {
	return publish.NewResync(ears{a}, func(sign string) {
		a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpResync})
	}, a.now)
}

// ears is what signs said, as Resync asks for it.
type ears struct{ a *App }

func (e ears) Online(sign string) bool { return e.a.listener.Online(sign) }

func (e ears) Acked(sign, what string, seq int64) bool {
	if id, ok := strings.CutPrefix(what, publish.AlertAck); ok {
		return e.a.alerts.Acked(sign, id)
	}
	return e.a.listener.Seq(sign, what) >= seq
}

// Get implements alert.Records.
func (r records) Get(ctx context.Context, kind, id string) ([]byte, error) {
	o, err := r.store.Objects().Get(ctx, kind, "", id)
	return o.Data, err
}

// alertCatalogue is the store as alerts read it.
type alertCatalogue struct {
	catalogue
	a *App
}

func (c alertCatalogue) Areas(ctx context.Context) ([]playlists.Area, error) {
	return list[playlists.Area](ctx, c.store, kindArea)
}

func (c alertCatalogue) Message(ctx context.Context, id string) (*playlists.Message, error) {
	return c.catalogue.Message(ctx, playlists.Public, id)
}

func (c alertCatalogue) KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error {
	return c.a.presentAreas(ctx, areas, who, where)
}

// alertArtist draws alerts: always in pages, so that one drawing suits every
// sign of a class, those that may not scroll and picture signs among them.
type alertArtist struct{ *artist }

func (d alertArtist) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error) {
	return d.artist.Artwork(ctx, m, c, true)
}

// Reads implements alert.Artist: of the pages that are shown, where a program
// sign would read a message as it scrolls.
func (d alertArtist) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	pages := *s
	pages.Mode = playlists.ModePicture
	return d.artist.Reads(ctx, m, &pages)
}

// alertHistory is what the store keeps of the past.
type alertHistory struct{ store store.Store }

func (h alertHistory) Programs(ctx context.Context, sign string, fromMS, untilMS int64) ([]*timeline.Program, error) {
	docs, err := h.store.Documents().History(ctx, wire.RoleProgram, sign, fromMS/1000, untilMS/1000+1)
	if err != nil {
		return nil, err
	}
	out := make([]*timeline.Program, len(docs))
	for i := range docs {
		if out[i], err = wire.StoredProgram(docs[i].JWS); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// proofSlack is how long before an alert a record may begin that tells of it:
// signs close their records at least so often.
const proofSlack = time.Hour

func (h alertHistory) Proved(ctx context.Context, sign, item string, fromMS, untilMS int64) (ms int64, err error) {
	err = store.EachRecord(ctx, h.store.Proofs(), fromMS-proofSlack.Milliseconds(), untilMS, sign, func(r *store.PlayRecord) error {
		for _, p := range r.Plays {
			if p.Item == item && p.Why == timeline.WhyAlert {
				ms += p.MS
			}
		}
		return nil
	})
	return ms, err
}

// Alerts are those that a sign should know at t: for the past from the sets
// that were issued, now from the present ones, and for later from what is
// approved.
func (s source) Alerts(ctx context.Context, sign *playlists.Sign, t time.Time) ([]timeline.Alert, error) {
	const near = 2 * time.Second
	var out []timeline.Alert
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		class, now := sign.Class.String(), s.a.now()
		switch {
		case t.After(now.Add(near)):
			later, err := s.a.publisher.AlertsAt(ctx, sign.Class, test, t)
			if err != nil {
				return nil, err
			}
			out = append(out, later...)
		case t.Before(now.Add(-near)):
			role := wire.RoleAlerts
			if test {
				role = wire.RoleAlertsTest
			}
			docs, err := s.a.store.Documents().History(ctx, role, class, t.Unix(), t.Unix()+1)
			if err != nil {
				return nil, err
			}
			if len(docs) == 0 {
				continue
			}
			set, err := wire.StoredAlerts(docs[len(docs)-1].JWS, test)
			if err != nil {
				return nil, err
			}
			out = append(out, set.Alerts...)
		default:
			if set, _ := s.a.publisher.AlertSet(class, test); set != nil {
				out = append(out, set.Alerts...)
			}
		}
	}
	return out, nil
}

// Has are the alerts that a sign has by its own word: of the sets that it says
// it took, without those that it refused or ended. A picture sign says nothing,
// and has what it is sent.
func (s source) Has(sign *playlists.Sign) []timeline.Alert {
	var out []timeline.Alert
	state := s.a.listener.State(sign.ID)
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		set, _ := s.a.publisher.AlertSet(sign.Class.String(), test)
		if set == nil || sign.Picture() {
			if set != nil {
				out = append(out, set.Alerts...)
			}
			continue
		}
		out = append(out, hasOf(set, test, &state)...)
	}
	return out
}

// hasOf are the alerts of a set that a program sign has.
func hasOf(set *timeline.AlertSet, test bool, state *listen.State) (out []timeline.Alert) {
	role := wire.RoleAlerts
	if test {
		role = wire.RoleAlertsTest
	}
	if state.Status == nil || !test && state.Status.Alerts == nil {
		return nil // it has no set at all
	}
	took := func(a *wire.Ack) bool { return a != nil && a.State != wire.AckRejected && a.Seq >= set.Seq }
	all := !test && state.Status.Alerts.Seq >= set.Seq || took(state.Acks[role])
	for _, a := range set.Alerts {
		k := state.Acks[role+"/"+a.ID]
		switch {
		case k == nil && all, k != nil && (k.State == wire.AckReceived || k.State == wire.AckShowing): // also of an older set
			out = append(out, a)
		}
	}
	return out
}
