package app

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// Kinds of objects in the store. Signs belong to the installation there, so
// that their ids are unique in it; their owner is a field.
const (
	kindOwner     = string(playlists.KindOwner)
	kindArea      = string(playlists.KindArea)
	kindSign      = string(playlists.KindSign)
	kindMessage   = string(playlists.KindMessage)
	kindPlaylist  = string(playlists.KindPlaylist)
	kindSchedule  = string(playlists.KindSchedule)
	kindCampaign  = string(playlists.KindCampaign)
	kindAgreement = string(playlists.KindAgreement)
)

func missing(err error) bool {
	var e *playlists.Error
	return errors.As(err, &e) && e.Code == playlists.NotFound
}

func (c catalogue) Owners(ctx context.Context) ([]playlists.Owner, error) {
	return list[playlists.Owner](ctx, c.store, kindOwner)
}

func (c catalogue) Playlist(ctx context.Context, owner, id string) (*playlists.Playlist, error) {
	return get[playlists.Playlist](ctx, c.store, kindPlaylist, owner, id)
}

func (c catalogue) Message(ctx context.Context, owner, id string) (*playlists.Message, error) {
	return get[playlists.Message](ctx, c.store, kindMessage, owner, id)
}

func (c catalogue) Schedules(ctx context.Context) ([]playlists.Dated[playlists.Schedule], error) {
	objects, err := c.store.Objects().List(ctx, kindSchedule, store.AllOwners)
	if err != nil {
		return nil, err
	}
	out := make([]playlists.Dated[playlists.Schedule], len(objects))
	for i, o := range objects {
		if err := json.Unmarshal(o.Data, &out[i].Thing); err != nil {
			return nil, fmt.Errorf("stored %s %s/%s: %w", kindSchedule, o.Owner, o.ID, err)
		}
		out[i].UpdatedMS = o.UpdatedMS
	}
	return out, nil
}

func (c catalogue) Campaigns(ctx context.Context) ([]playlists.Campaign, error) {
	return list[playlists.Campaign](ctx, c.store, kindCampaign)
}

func (c catalogue) Agreements(ctx context.Context) ([]playlists.Agreement, error) {
	return list[playlists.Agreement](ctx, c.store, kindAgreement)
}

// acked is the seq of the program that the sign says it has.
func (a *App) acked(sign string) (seq int64) {
	st := a.listener.State(sign)
	if x := st.Status; x != nil && x.Program != nil {
		seq = x.Program.Seq
	}
	if x := st.Acks[wire.RoleProgram]; x != nil && x.State != wire.AckRejected {
		seq = max(seq, x.Seq)
	}
	return seq
}

// limits are those that the sign has declared.
func (a *App) limits(sign string) playlists.Limits {
	if st := a.listener.State(sign).Status; st != nil && st.Limits != nil {
		return playlists.Limits{Frames: st.Limits.Frames, FrameBytes: st.Limits.FrameBytes, Document: st.Limits.Document}
	}
	return playlists.Limits{}
}

func list[T any](ctx context.Context, s reader, kind string) ([]T, error) {
	objects, err := s.Objects().List(ctx, kind, store.AllOwners)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(objects))
	for i, o := range objects {
		if err := json.Unmarshal(o.Data, &out[i]); err != nil {
			return nil, fmt.Errorf("stored %s %s: %w", kind, o.ID, err)
		}
	}
	return out, nil
}

func get[T any](ctx context.Context, s reader, kind, owner, id string) (*T, error) {
	o, err := s.Objects().Get(ctx, kind, owner, id)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(o.Data, v); err != nil {
		return nil, fmt.Errorf("stored %s %s/%s: %w", kind, owner, id, err)
	}
	return v, nil
}

// put writes an object over whatever is there.
func put(ctx context.Context, s store.Store, kind, owner, id string, v any, expected int64, now time.Time) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Objects().Put(ctx, store.Object{Kind: kind, Owner: owner, ID: id, Data: data, UpdatedMS: now.UnixMilli()}, expected)
	return err
}

// ledger is the store's documents as the publisher uses them.
type ledger struct{ store store.Store }

func (l ledger) Issue(ctx context.Context, drafts []publish.Draft, seal func(i int, seq int64) ([]byte, error)) ([]publish.Issued, error) {
	in := make([]store.Draft, len(drafts))
	for i, d := range drafts {
		in[i] = store.Draft{Role: d.Role, Subject: d.Subject, Epoch: d.Epoch, IatMS: d.IatMS, Exp: d.Exp, Digest: d.Digest, Keep: true, Notes: d.Notes}
	}
	docs, err := l.store.Documents().Issue(ctx, in, seal)
	out := make([]publish.Issued, len(docs))
	for i, d := range docs {
		out[i] = issued(d)
	}
	return out, err
}

func issued(d store.Document) publish.Issued {
	return publish.Issued{Epoch: d.Epoch, Seq: d.Seq, Iat: d.Iat, Exp: d.Exp, Digest: d.Digest, JWS: d.JWS}
}

func (l ledger) Latest(ctx context.Context, role, subject string) (*publish.Issued, error) {
	d, err := l.store.Documents().Latest(ctx, role, subject)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i := issued(d)
	return &i, nil
}

func (l ledger) Programs(ctx context.Context, sign string, from, until int64) ([]*timeline.Program, error) {
	return alertHistory(l).Programs(ctx, sign, from*1000, until*1000)
}

func (l ledger) NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error) {
	return l.store.Documents().NextSeqs(ctx, role, subjects, epoch, iatMS)
}

// keyStore is the store's keys as the key ring uses them.
type keyStore struct{ store store.Store }

func (k keyStore) Keys(ctx context.Context) ([]publish.SigningKey, error) {
	keys, err := k.store.Keys().List(ctx)
	out := make([]publish.SigningKey, len(keys))
	for i, x := range keys {
		out[i] = publish.SigningKey{Role: x.Role, Key: ed25519.NewKeyFromSeed(x.Seed), Nbf: x.Nbf, Exp: x.Exp, State: publish.KeyState(x.State)}
	}
	return out, err
}

func (k keyStore) AddKeys(ctx context.Context, keys []publish.SigningKey) error {
	in := make([]store.Key, len(keys))
	for i, x := range keys {
		in[i] = store.Key{KID: wire.KeyID(x.Key.Public().(ed25519.PublicKey)), Role: x.Role, Seed: x.Key.Seed(), Nbf: x.Nbf, Exp: x.Exp, State: store.KeyState(x.State)}
	}
	return k.store.Keys().Add(ctx, in...)
}

func (k keyStore) SetState(ctx context.Context, kid string, state publish.KeyState) error {
	return k.store.Keys().SetState(ctx, kid, store.KeyState(state))
}

func (k keyStore) Set(ctx context.Context) (*publish.SignedSet, error) {
	s, err := k.store.Keys().Set(ctx)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(s.Roots) != 2 {
		return nil, fmt.Errorf("the stored key set names %d roots instead of 2; restore the database from a backup", len(s.Roots))
	}
	return &publish.SignedSet{Epoch: s.Epoch, Seq: s.Seq, JWS: s.JWS, Root: s.Roots[0], Spare: s.Roots[1]}, nil
}

func (k keyStore) PutSet(ctx context.Context, s publish.SignedSet) error {
	return k.store.Keys().PutSet(ctx, store.KeySet{Epoch: s.Epoch, Seq: s.Seq, JWS: s.JWS, Roots: [][]byte{s.Root, s.Spare}})
}

// proofs is the store's proof of play as the auditor uses it.
type proofs struct{ store store.Store }

func (p proofs) Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) ([32]byte, error) {
	return p.store.Proofs().Pin(ctx, sign, x, nowMS)
}

func (p proofs) End(ctx context.Context, sign, chain string) (int64, string, error) {
	return p.store.Proofs().End(ctx, sign, chain)
}

func (p proofs) Digest(ctx context.Context, sign, chain string, n int64) (string, error) {
	return p.store.Proofs().Digest(ctx, sign, chain, n)
}

func (p proofs) Add(ctx context.Context, doc []byte, digest string, r *wire.Played) error {
	rec := store.PlayRecord{Sign: r.Sign, Chain: r.Chain, N: r.N, Digest: digest, FromMS: r.FromMS, UntilMS: r.UntilMS, JWS: doc}
	for _, x := range r.Plays {
		rec.Plays = append(rec.Plays, store.Play{Item: x.Item, Campaign: x.Campaign, Frame: x.Frame, Why: x.Why, Count: x.Count, MS: x.MS})
	}
	return p.store.Proofs().Add(ctx, rec)
}

// toBroker publishes over the controller's link.
type toBroker struct{ a *App }

func (b toBroker) Publish(ctx context.Context, topic string, payload []byte, retained bool) error {
	return b.a.link.Publish(ctx, link.Message{Topic: topic, Payload: payload, QoS: 1, Retained: retained})
}

// source is the App as the API reads it.
type source struct{ a *App }

func (s source) Signs(ctx context.Context) ([]playlists.Sign, error) {
	return s.a.catalogue().Signs(ctx)
}
func (s source) Owners(ctx context.Context) ([]playlists.Owner, error) {
	return s.a.catalogue().Owners(ctx)
}

func (s source) Heard(sign string) api.Heard {
	st := s.a.listener.State(sign)
	h := api.Heard{Online: st.Online, At: st.HeardAt, Snapshot: st.Snapshot, ShotAt: st.ShotAt, Dropped: st.Dropped}
	if st.Proof != "" {
		h.Faults = append(h.Faults, st.Proof)
	}
	if x := st.Status; x != nil {
		h.Faults = append(h.Faults, x.Faults...)
		h.Software, h.Trusted = x.Software, x.Clock == "trusted"
		if x.Program != nil {
			h.ProgramSeq = x.Program.Seq
		}
		if x.Showing != nil {
			h.Why, h.Item, h.Frame = x.Showing.Why, x.Showing.Item, x.Showing.Frame
		}
	}
	return h
}

func (s source) Program(sign string) (*timeline.Program, playlists.Text) {
	problem := s.a.publisher.Problem(sign)
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Program, problem
	}
	return nil, problem
}

func (s source) Title(sign, owner, item string) string {
	if owner == "" { // no program's item
		return s.a.alerts.Title(item)
	}
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Titles[owner+"/"+item]
	}
	return ""
}

// Issued are the programs of a span of time: those that were issued, the present
// one, and what would be planned by today's rules where that does not reach.
func (s source) Issued(ctx context.Context, sign string, from, until time.Time) ([]api.Issued, error) {
	begin, end := from.Unix(), max(until.Unix(), from.Unix()+1)
	present := int64(math.MaxInt64)
	p := s.a.publisher.Plan(sign)
	if p != nil {
		// After a start, a sign whose plan cannot be made any more has its
		// reasons in its document only.
		if present = p.Program.Exp; p.Reasons != nil {
			present -= wire.LifeProgram
		}
	}
	var out []api.Issued
	if begin < present {
		docs, err := s.a.store.Documents().History(ctx, wire.RoleProgram, sign, begin, min(end, present))
		if err != nil {
			return nil, err
		}
		// From the last one backwards: what a later document precedes, by a
		// clock that was set back, was never in force.
		next := present
		for _, d := range slices.Backward(docs) {
			if d.Iat >= next {
				continue
			}
			next = d.Iat
			n, err := notesOf(d.Notes)
			if err != nil {
				return nil, err
			}
			g, err := wire.StoredProgram(d.JWS)
			if err != nil {
				return nil, err
			}
			out = append(out, api.Issued{From: max(d.Iat, begin), Program: g, Notes: n})
			if d.Iat <= begin {
				break
			}
		}
		slices.Reverse(out)
	}
	if p == nil || end <= present {
		return out, nil
	}
	notes := func(r *playlists.Reasons) *playlists.Notes {
		return &playlists.Notes{Owner: p.Sign.Owner, Zone: p.Sign.TimeZone, Titles: p.Titles, Reasons: r}
	}
	if begin < p.Program.Exp && present < p.Program.Exp {
		out = append(out, api.Issued{From: max(begin, present), Program: p.Program, Notes: notes(p.Reasons)})
	}
	if end > p.Program.Exp {
		at := max(begin, p.Program.Exp)
		planned, err := s.a.publisher.Would(ctx, &p.Sign, at-wire.Early, at+wire.LifeProgram)
		if err != nil {
			return nil, err
		}
		out = append(out, api.Issued{From: at, Program: planned.Program, Notes: notes(planned.Reasons)})
	}
	return out, nil
}

// notesOf reads a kept program's notes; older ones have none.
func notesOf(data []byte) (*playlists.Notes, error) {
	n := &playlists.Notes{}
	if data == nil {
		return n, nil
	}
	return n, json.Unmarshal(data, n)
}

func (s source) Frame(sha string) ([]byte, string) {
	if f := s.a.publisher.Frame(sha); f != nil {
		return f.Data, f.Type
	}
	return nil, ""
}

func (s source) Snapshot(sign string) {
	s.a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpSnapshot})
}

func (s source) Ready() error {
	if !s.a.files.Load() {
		return errors.New("files are still being written")
	}
	if !s.a.publisher.Ready() {
		return errors.New("the broker does not hold everything yet")
	}
	return nil
}
