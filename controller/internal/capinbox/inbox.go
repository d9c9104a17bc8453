// Package capinbox turns documents of the Common Alerting Protocol 1.2 into
// alerts: handed in by a person, or read from feeds that the policy names. It
// remembers what became of each document, and which documents belong together,
// so that an Update or a Cancel finds what came before, in whatever order they
// came.
package capinbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/controller/internal/capinbox/cap12"
	"ledcast/playlists"
)

// Kinds of records.
const (
	kindCAP    = "cap" // what became of a document
	kindPolicy = "cap-policy"
)

// controller is who asks whether the policy's areas are known.
var controller = &playlists.Principal{ID: "controller", Owner: playlists.Public, Role: playlists.RoleAdmin}

// Records keeps what this package remembers, as JSON by kind and id. Writes are
// audited.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	// Get is NotFound for what is not there.
	Get(ctx context.Context, kind, id string) ([]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
}

// Catalogue is what documents are meant for.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Areas(ctx context.Context) ([]playlists.Area, error)
	// KnownAreas rejects areas that are not known, or outside an officer's.
	KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error
}

// Alerts is what documents become.
type Alerts interface {
	Get(ctx context.Context, id string) (*playlists.AlertView, error)
	Cancel(ctx context.Context, who *playlists.Principal, id string, correction bool) (*playlists.AlertView, error)
	Refuse(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)
	// CreateFrom makes an alert of an order with these messages: the first that
	// can be read everywhere.
	CreateFrom(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder,
		messages []*playlists.Message) (*playlists.AlertView, error)
	// MayEnd rejects an officer who acts elsewhere than one of the alerts.
	MayEnd(ids []string, who *playlists.Principal) error
	// RunByPolicy lets an alert run without a person.
	RunByPolicy(ctx context.Context, who *playlists.Principal, id string) error
	// Related lists those of these alerts that are not over, with the alerts that
	// took their place or gave it. Corrections, and alerts that other reports true
	// of, are not among the latter.
	Related(ids []string, other func(id string) bool) []string
	// SignsWithin reports whether each of these signs lies in an area that within
	// reports true of.
	SignsWithin(signs []string, within func(area string) bool) bool
}

// Fetcher asks addresses on the Internet.
type Fetcher interface {
	Get(ctx context.Context, address string, headers http.Header) (*http.Response, error)
	// MayGo rejects an address that must not be asked.
	MayGo(u *url.URL) error
}

// Options are an Inbox's surroundings.
type Options struct {
	Records   Records
	Catalogue Catalogue
	Alerts    Alerts
	Fetcher   Fetcher
	Now       func() time.Time
	Log       *slog.Logger
	// Doubt, if given, reports whether the clock is in doubt. Then a feed's documents wait, but for what ends an alert.
	Doubt func() bool
}

// Inbox takes documents. It is safe for concurrent use; RunFeeds asks the feeds.
type Inbox struct {
	o    Options
	one  sync.Mutex // one document at a time: an Update must find what came before
	rule sync.Mutex // one change of the policy at a time

	mu     sync.Mutex
	seen   map[string]kept     // by reference
	links  map[string][]string // what names what, both ways: a family hangs together
	made   map[string]string   // alert → the document that it was made of
	policy playlists.CAPPolicy
	feeds  map[string]*feed
}

// kept is a record as it is kept.
type kept struct {
	playlists.CAPResult
	Refs    []string `json:"refs,omitempty"`    // what it names, if it was taken
	Digest  string   `json:"digest,omitempty"`  // of its bytes
	Cancels []string `json:"cancels,omitempty"` // of older records: what a Cancel named and nobody knew
}

func capName(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:8])
}

// Open reads what was decided before.
func Open(ctx context.Context, o Options) (*Inbox, error) {
	b := &Inbox{o: o, seen: map[string]kept{}, links: map[string][]string{}, made: map[string]string{},
		feeds: map[string]*feed{}}
	rows, err := o.Records.List(ctx, kindCAP)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var k kept
		if err := json.Unmarshal(row, &k); err != nil {
			return nil, err
		}
		if len(k.Refs) == 0 {
			k.Refs = k.Cancels
		}
		b.note(refOf(&k.CAPResult), k)
	}
	data, err := o.Records.Get(ctx, kindPolicy, "cap")
	if playlists.IsNotFound(err) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.policy)
	}
	b.followFeeds()
	return b, err
}

func (b *Inbox) keep(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// Naming is what of the policy names an area, for people; "" for nothing.
func (b *Inbox) Naming(area string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if auto := b.policy.Auto; auto != nil && slices.Contains(auto.Areas, area) {
		return "the policy for alerts from outside"
	}
	return ""
}

func refOf(r *playlists.CAPResult) string {
	return cap12.Reference{Sender: r.Sender, Identifier: r.Identifier, Sent: time.Unix(int64(r.Sent), 0).UTC()}.String()
}

// key makes references that mean the same moment the same text.
func key(r cap12.Reference) string {
	r.Sent = r.Sent.UTC()
	return r.String()
}

// handed is a document with who brought it.
type handed struct {
	*cap12.Alert
	by     *playlists.Principal
	fed    bool   // a feed brought it: by what its address says, not by a person's word
	name   string // of its alerts
	refs   []string
	policy playlists.CAPPolicy
	over   playlists.AlertOrder // what who hands it in lets through
}

// CAP takes a document that a person hands in. What becomes of it is decided
// once: the same document again changes nothing, unless it was refused or held.
// Its error is of a document that cannot be read; what can be read is never an
// error, and says what became of it and why.
func (b *Inbox) CAP(ctx context.Context, who *playlists.Principal, data []byte,
	let playlists.AlertOverride) (*playlists.CAPResult, error) {
	if err := playlists.CheckOverride("cap", let.Override, let.Reason); err != nil {
		return nil, err
	}
	return b.takeCAP(ctx, &handed{by: who, over: playlists.AlertOrder{Override: let.Override, Reason: let.Reason}}, data)
}

func (b *Inbox) takeCAP(ctx context.Context, d *handed, data []byte) (*playlists.CAPResult, error) {
	doc, err := cap12.Parse(data)
	if err != nil {
		return nil, err
	}
	if d.fed && doc.MsgType != "Cancel" && b.o.Doubt != nil && b.o.Doubt() {
		return nil, errDoubt // by a wrong clock it would be over, and never be looked at again
	}
	b.one.Lock()
	defer b.one.Unlock()
	ref, sum := key(doc.Ref()), sha256.Sum256(data)
	d.Alert, d.name = doc, capName(ref)
	k := kept{Digest: hex.EncodeToString(sum[:]), CAPResult: playlists.CAPResult{Identifier: doc.Identifier,
		Sender: doc.Sender,
		Sent:   playlists.Moment(doc.Sent.Unix()), MsgType: doc.MsgType, AtMS: b.o.Now().UnixMilli(), From: d.by.ID}}
	b.mu.Lock()
	before, known := b.seen[ref]
	d.policy = b.policy
	b.mu.Unlock()
	switch byPerson := known && d.fed && !strings.HasPrefix(before.From, feedPrincipal); {
	case known && (before.Outcome == playlists.CAPRefused || before.Outcome == playlists.CAPHeld):
		// The policy, the areas or what it names may be others now.
	case byPerson && (before.Digest != k.Digest || len(before.Alerts) == 0):
		// What a person handed in under this name is not what its sender says.
		d.name = capName(ref + " of a feed")
	case byPerson && before.Outcome == playlists.CAPPending:
		if err := b.nowFed(ctx, d, &before); err != nil {
			return nil, err
		}
		return &before.CAPResult, b.keepCAP(ctx, d, ref, before)
	case known:
		before.Because.VI += " Văn bản này đã nhận trước đó."
		before.Because.EN += " This document came before."
		return &before.CAPResult, nil
	}
	if err := b.decide(ctx, d, &k.CAPResult); err != nil {
		var refused *playlists.Error
		if !errors.As(err, &refused) {
			return nil, err
		}
		became(&k.CAPResult, playlists.CAPRefused, "Không nhận được: "+refused.VI(), "It cannot be taken: "+refused.Error())
	}
	if k.Outcome != playlists.CAPRefused { // what was not taken says nothing of others
		k.Refs = d.refs
	}
	return &k.CAPResult, b.keepCAP(ctx, d, ref, k)
}

func (b *Inbox) keepCAP(ctx context.Context, d *handed, ref string, k kept) error {
	if err := b.keep(ctx, d.by, kindCAP, capName(ref), k); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(ref, k)
	return nil
}

// nowFed lets the policy decide of what waits: a feed brought what a person had
// handed in, byte for byte.
func (b *Inbox) nowFed(ctx context.Context, d *handed, k *kept) error {
	k.From = d.by.ID
	for _, id := range k.Alerts {
		v, err := b.o.Alerts.Get(ctx, id)
		if err != nil || v.State != playlists.AlertPending || !b.mayRun(d, v) {
			continue
		}
		if err := b.runByPolicy(ctx, &d.policy, id); err != nil {
			return err
		}
		became(&k.CAPResult, playlists.CAPRunning, runsVI, runsEN)
	}
	return nil
}

func say(vi, en string) playlists.Text { return playlists.Text{VI: vi, EN: en} }

// became notes what became of a document, and why.
func became(r *playlists.CAPResult, what, vi, en string) {
	r.Outcome, r.Because = what, say(vi, en)
}

// decide is what becomes of a good document. In this order: what it is for, who
// sent it, what it says of others, and last of all whether it is to be shown.
func (b *Inbox) decide(ctx context.Context, d *handed, r *playlists.CAPResult) error {
	no := func(what, vi, en string) error { became(r, what, vi, en); return nil }
	switch {
	case d.MsgType == "Ack" || d.MsgType == "Error":
		return no(playlists.CAPIgnored, "Đây là thư trả lời giữa các hệ thống.", "It is an answer between systems.")
	case d.Status != "Actual":
		return no(playlists.CAPIgnored, "Trạng thái "+d.Status+": không phải tin thật, không bao giờ lên màn hình.",
			"Its status is "+d.Status+": it is not for real, and never goes on a sign.")
	case d.Scope != "Public":
		return no(playlists.CAPRefused, "Phạm vi "+d.Scope+": không dành cho công chúng.",
			"Its scope is "+d.Scope+": it is not for the public.")
	case len(d.policy.Senders) > 0 && !slices.Contains(d.policy.Senders, d.Sender):
		return no(playlists.CAPRefused, "Người gửi "+d.Sender+" không có trong danh sách được phép.",
			"The sender "+d.Sender+" is not one of those allowed.")
	case len(d.policy.Senders) == 0 && d.fed:
		return no(playlists.CAPRefused, "Chưa có người gửi nào được phép.", "No sender is allowed yet.")
	// known here or not
	case slices.ContainsFunc(d.References, func(x cap12.Reference) bool { return x.Sender != d.Sender }):
		return no(playlists.CAPRefused, "Văn bản nói về tin của người khác gửi.", "It speaks of another sender's alert.")
	}
	for _, x := range d.References {
		d.refs = append(d.refs, key(x))
	}
	f := b.family(d)
	if d.MsgType == "Cancel" {
		return b.capCancel(ctx, d, r, f)
	}
	if by := f.cancelled(d); by != "" {
		return no(playlists.CAPIgnored, "Lệnh hủy tin này đã đến trước ("+by+").", "Its Cancel came before it ("+by+").")
	}
	switch f.newer(d) {
	case playlists.CAPHeld:
		return no(playlists.CAPHeld, "Bản cập nhật của tin này đã đến trước và đang chờ người xem.",
			"An Update of it came first, and a person has to look at that.")
	case "":
	default:
		return no(playlists.CAPIgnored, "Bản cập nhật của tin này đã đến trước.", "An Update of it came first.")
	}
	if d.MsgType == "Update" {
		switch {
		case len(d.refs) == 0:
			return no(playlists.CAPHeld, "Cập nhật mà không nói cập nhật tin nào; cần người xem.",
				"It updates, and does not say what; a person has to look.")
		case f.unknown > 0:
			return no(playlists.CAPHeld, "Cập nhật một tin chưa nhận; cần người xem.",
				"It updates an alert that never came; a person has to look.")
		}
	}
	return b.capRaise(ctx, d, r, f)
}

// endAll ends alerts in the name of a document, and names them in its result.
func (b *Inbox) endAll(ctx context.Context, d *handed, r *playlists.CAPResult, ids []string) error {
	for _, id := range ids {
		if _, err := b.o.Alerts.Cancel(ctx, d.by, id, false); err != nil {
			return err
		}
		r.Alerts = append(r.Alerts, id)
	}
	return nil
}

// capCancel ends the whole family of what a Cancel names; what of it comes later
// and was sent before does not start.
func (b *Inbox) capCancel(ctx context.Context, d *handed, r *playlists.CAPResult, f *family) error {
	if len(d.refs) == 0 {
		became(r, playlists.CAPRefused, "Lệnh hủy không nói hủy tin nào.", "It cancels, and does not say what.")
		return nil
	}
	going := b.alive(f, d)
	if err := b.o.Alerts.MayEnd(going, d.by); err != nil {
		return err
	}
	if err := b.endAll(ctx, d, r, going); err != nil {
		return err
	}
	switch {
	case len(r.Alerts) > 0:
		became(r, playlists.CAPCancelled, "Đã dừng tin.", "What it names was ended.")
	case f.unknown > 0:
		became(r, playlists.CAPHeld, "Hủy một tin chưa nhận; nếu tin đó đến sau thì sẽ không lên màn hình.",
			"It cancels an alert that never came; should that come, it will not start.")
	default:
		became(r, playlists.CAPIgnored, "Tin đó đã kết thúc.", "What it names is over already.")
	}
	return nil
}
