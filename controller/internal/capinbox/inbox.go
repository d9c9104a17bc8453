// Package capinbox turns Common Alerting Protocol 1.2 documents into alerts. The
// documents are submitted by people or come from feeds that the policy names. The
// package records the outcome of each document and its references to others, so
// that an Update or a Cancel finds its family in whatever order they arrive.
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
	kindCAP    = "cap" // outcome of a document
	kindPolicy = "cap-policy"
)

// controller is the principal that checks the policy's areas.
var controller = &playlists.Principal{ID: "controller", Owner: playlists.Public, Role: playlists.RoleAdmin}

// Records stores this package's state as JSON by kind and id. Writes are audited.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	// Get returns an error of code NotFound if there is no record.
	Get(ctx context.Context, kind, id string) ([]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
}

// Catalogue provides signs and areas.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Areas(ctx context.Context) ([]playlists.Area, error)
	// KnownAreas rejects areas that do not exist or that who may not use.
	KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error
}

// Alerts creates and ends the alerts of documents.
type Alerts interface {
	Get(ctx context.Context, id string) (*playlists.AlertView, error)
	Cancel(ctx context.Context, who *playlists.Principal, id string, correction bool) (*playlists.AlertView, error)
	Refuse(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)
	// CreateFrom creates an alert. Each class of signs shows the first message that
	// it can show legibly.
	CreateFrom(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder,
		messages []*playlists.Message) (*playlists.AlertView, error)
	// MayEnd returns an error if one of the alerts lies outside the areas of who.
	MayEnd(ids []string, who *playlists.Principal) error
	// RunByPolicy starts a pending alert without a person's approval.
	RunByPolicy(ctx context.Context, who *playlists.Principal, id string) error
	// Related returns the open alerts among ids and the open alerts that replaced
	// these or that these replace, without corrections and without alerts for which
	// skip returns true.
	Related(ids []string, skip func(id string) bool) []string
	// SignsWithin reports whether each sign has an area for which within returns true.
	SignsWithin(signs []string, within func(area string) bool) bool
}

// Fetcher fetches addresses on the Internet.
type Fetcher interface {
	Get(ctx context.Context, address string, headers http.Header) (*http.Response, error)
	// MayGo returns an error if the address must not be fetched.
	MayGo(u *url.URL) error
}

// Options configures an Inbox.
type Options struct {
	Records   Records
	Catalogue Catalogue
	Alerts    Alerts
	Fetcher   Fetcher
	Now       func() time.Time
	Log       *slog.Logger
	// Doubt, if set, reports whether the clock is in doubt. Documents of feeds, except Cancels, wait until it is not.
	Doubt func() bool
}

// Inbox processes CAP documents. It is safe for concurrent use. RunFeeds polls the feeds.
type Inbox struct {
	o        Options
	docMu    sync.Mutex // serializes documents, so that an Update finds its family
	policyMu sync.Mutex // serializes changes of the policy

	mu         sync.Mutex
	records    map[string]record   // by reference
	links      map[string][]string // references between documents, in both directions
	documentOf map[string]string   // alert → the document that it was made from
	policy     playlists.CAPPolicy
	feeds      map[string]*feed
}

// record is the stored result of a document.
type record struct {
	playlists.CAPResult
	Refs    []string `json:"refs,omitempty"`    // documents that it references, unless it was refused
	Digest  string   `json:"digest,omitempty"`  // of the document's bytes
	Cancels []string `json:"cancels,omitempty"` // in old records: unknown documents that a Cancel references
}

func shortHash(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:8])
}

// Open loads the stored records and the policy.
func Open(ctx context.Context, o Options) (*Inbox, error) {
	b := &Inbox{o: o, records: map[string]record{}, links: map[string][]string{}, documentOf: map[string]string{},
		feeds: map[string]*feed{}}
	rows, err := o.Records.List(ctx, kindCAP)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var k record
		if err := json.Unmarshal(row, &k); err != nil {
			return nil, err
		}
		if len(k.Refs) == 0 {
			k.Refs = k.Cancels
		}
		b.index(resultKey(&k.CAPResult), k)
	}
	data, err := o.Records.Get(ctx, kindPolicy, "cap")
	if playlists.IsNotFound(err) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.policy)
	}
	b.updateFeeds()
	return b, err
}

func (b *Inbox) put(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// ReferenceTo describes, for people, what in the policy refers to an area. It returns "" if nothing does.
func (b *Inbox) ReferenceTo(area string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if auto := b.policy.Auto; auto != nil && slices.Contains(auto.Areas, area) {
		return "the policy for alerts from outside"
	}
	return ""
}

func resultKey(r *playlists.CAPResult) string {
	return cap12.Reference{Sender: r.Sender, Identifier: r.Identifier, Sent: time.Unix(int64(r.Sent), 0).UTC()}.String()
}

// refKey returns a reference as text, with its time in UTC so that equal references have equal keys.
func refKey(r cap12.Reference) string {
	r.Sent = r.Sent.UTC()
	return r.String()
}

// submission is a document and the principal who submitted it.
type submission struct {
	*cap12.Alert
	by        *playlists.Principal
	fromFeed  bool   // a feed delivered it, so its sender is authentic
	alertName string // in the ids of its alerts
	refs      []string
	policy    playlists.CAPPolicy
	override  playlists.AlertOrder // Override and Reason of the person who submitted it
}

// CAP processes a document that a person submits. Submitting a document again
// changes nothing, unless it was refused or held before. CAP returns an error if the
// document is malformed. Otherwise, the result states the outcome and the reason.
func (b *Inbox) CAP(ctx context.Context, who *playlists.Principal, data []byte,
	override playlists.AlertOverride) (*playlists.CAPResult, error) {
	if err := playlists.CheckOverride("cap", override.Override, override.Reason); err != nil {
		return nil, err
	}
	d := &submission{by: who, override: playlists.AlertOrder{Override: override.Override, Reason: override.Reason}}
	return b.process(ctx, d, data)
}

func (b *Inbox) process(ctx context.Context, d *submission, data []byte) (*playlists.CAPResult, error) {
	doc, err := cap12.Parse(data)
	if err != nil {
		return nil, err
	}
	if d.fromFeed && doc.MsgType != "Cancel" && b.o.Doubt != nil && b.o.Doubt() {
		return nil, errClockInDoubt // with a wrong clock it could count as expired for good
	}
	b.docMu.Lock()
	defer b.docMu.Unlock()
	ref, sum := refKey(doc.Ref()), sha256.Sum256(data)
	d.Alert, d.alertName = doc, shortHash(ref)
	k := record{Digest: hex.EncodeToString(sum[:]), CAPResult: playlists.CAPResult{Identifier: doc.Identifier,
		Sender: doc.Sender,
		Sent:   playlists.Moment(doc.Sent.Unix()), MsgType: doc.MsgType, AtMS: b.o.Now().UnixMilli(), From: d.by.ID}}
	b.mu.Lock()
	before, known := b.records[ref]
	d.policy = b.policy
	b.mu.Unlock()
	switch byPerson := known && d.fromFeed && !strings.HasPrefix(before.From, feedPrincipal); {
	case known && (before.Outcome == playlists.CAPRefused || before.Outcome == playlists.CAPHeld):
		// The policy, the areas or the family may have changed. Decide again.
	case byPerson && (before.Digest != k.Digest || len(before.Alerts) == 0):
		// A person submitted other content under this reference. The feed's content counts.
		d.alertName = shortHash(ref + " of a feed")
	case byPerson && before.Outcome == playlists.CAPPending:
		if err := b.confirmByFeed(ctx, d, &before); err != nil {
			return nil, err
		}
		return &before.CAPResult, b.saveRecord(ctx, d, ref, before)
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
		setOutcome(&k.CAPResult, playlists.CAPRefused, "Không nhận được: "+refused.VI(),
			"It cannot be taken: "+refused.Error())
	}
	if k.Outcome != playlists.CAPRefused { // a refused document has no effect on its family
		k.Refs = d.refs
	}
	return &k.CAPResult, b.saveRecord(ctx, d, ref, k)
}

func (b *Inbox) saveRecord(ctx context.Context, d *submission, ref string, k record) error {
	if err := b.put(ctx, d.by, kindCAP, shortHash(ref), k); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index(ref, k)
	return nil
}

// confirmByFeed applies the policy to the pending alerts of a document that a person
// submitted and that a feed has now delivered byte for byte.
func (b *Inbox) confirmByFeed(ctx context.Context, d *submission, k *record) error {
	k.From = d.by.ID
	for _, id := range k.Alerts {
		v, err := b.o.Alerts.Get(ctx, id)
		if err != nil || v.State != playlists.AlertPending || !b.mayRun(d, v) {
			continue
		}
		if err := b.runByPolicy(ctx, &d.policy, id); err != nil {
			return err
		}
		setOutcome(&k.CAPResult, playlists.CAPRunning, runsVI, runsEN)
	}
	return nil
}

func text(vi, en string) playlists.Text { return playlists.Text{VI: vi, EN: en} }

// setOutcome sets the outcome of a document and the reason.
func setOutcome(r *playlists.CAPResult, what, vi, en string) {
	r.Outcome, r.Because = what, text(vi, en)
}

// decide decides a well-formed document. It checks the purpose first, then the
// sender and the family, and raises alerts last.
func (b *Inbox) decide(ctx context.Context, d *submission, r *playlists.CAPResult) error {
	done := func(what, vi, en string) error { setOutcome(r, what, vi, en); return nil }
	switch {
	case d.MsgType == "Ack" || d.MsgType == "Error":
		return done(playlists.CAPIgnored, "Đây là thư trả lời giữa các hệ thống.", "It is an answer between systems.")
	case d.Status != "Actual":
		return done(playlists.CAPIgnored,
			"Trạng thái "+d.Status+": không phải tin thật, không bao giờ lên màn hình.",
			"Its status is "+d.Status+": it is not for real, and never goes on a sign.")
	case d.Scope != "Public":
		return done(playlists.CAPRefused, "Phạm vi "+d.Scope+": không dành cho công chúng.",
			"Its scope is "+d.Scope+": it is not for the public.")
	case len(d.policy.Senders) > 0 && !slices.Contains(d.policy.Senders, d.Sender):
		return done(playlists.CAPRefused, "Người gửi "+d.Sender+" không có trong danh sách được phép.",
			"The sender "+d.Sender+" is not one of those allowed.")
	case len(d.policy.Senders) == 0 && d.fromFeed:
		return done(playlists.CAPRefused, "Chưa có người gửi nào được phép.", "No sender is allowed yet.")
	// whether or not the referenced document is known
	case slices.ContainsFunc(d.References, func(x cap12.Reference) bool { return x.Sender != d.Sender }):
		return done(playlists.CAPRefused, "Văn bản nói về tin của người khác gửi.",
			"It speaks of another sender's alert.")
	}
	for _, x := range d.References {
		d.refs = append(d.refs, refKey(x))
	}
	f := b.familyOf(d)
	if d.MsgType == "Cancel" {
		return b.cancelFamily(ctx, d, r, f)
	}
	if by := f.cancelledBy(d); by != "" {
		return done(playlists.CAPIgnored, "Lệnh hủy tin này đã đến trước ("+by+").",
			"Its Cancel came before it ("+by+").")
	}
	switch f.newerOutcome(d) {
	case playlists.CAPHeld:
		return done(playlists.CAPHeld, "Bản cập nhật của tin này đã đến trước và đang chờ người xem.",
			"An Update of it came first, and a person has to look at that.")
	case "":
	default:
		return done(playlists.CAPIgnored, "Bản cập nhật của tin này đã đến trước.", "An Update of it came first.")
	}
	if d.MsgType == "Update" {
		switch {
		case len(d.refs) == 0:
			return done(playlists.CAPHeld, "Cập nhật mà không nói cập nhật tin nào; cần người xem.",
				"It updates, and does not say what; a person has to look.")
		case f.unknown > 0:
			return done(playlists.CAPHeld, "Cập nhật một tin chưa nhận; cần người xem.",
				"It updates an alert that never came; a person has to look.")
		}
	}
	return b.raise(ctx, d, r, f)
}

// endAll ends alerts on behalf of a document and lists them in its result.
func (b *Inbox) endAll(ctx context.Context, d *submission, r *playlists.CAPResult, ids []string) error {
	for _, id := range ids {
		if _, err := b.o.Alerts.Cancel(ctx, d.by, id, false); err != nil {
			return err
		}
		r.Alerts = append(r.Alerts, id)
	}
	return nil
}

// cancelFamily ends the alerts of the family that a Cancel references. A document of
// the family that was sent before the Cancel and arrives later does not start.
func (b *Inbox) cancelFamily(ctx context.Context, d *submission, r *playlists.CAPResult, f *family) error {
	if len(d.refs) == 0 {
		setOutcome(r, playlists.CAPRefused, "Lệnh hủy không nói hủy tin nào.", "It cancels, and does not say what.")
		return nil
	}
	open := b.openAlerts(f, d)
	if err := b.o.Alerts.MayEnd(open, d.by); err != nil {
		return err
	}
	if err := b.endAll(ctx, d, r, open); err != nil {
		return err
	}
	switch {
	case len(r.Alerts) > 0:
		setOutcome(r, playlists.CAPCancelled, "Đã dừng tin.", "What it names was ended.")
	case f.unknown > 0:
		setOutcome(r, playlists.CAPHeld, "Hủy một tin chưa nhận; nếu tin đó đến sau thì sẽ không lên màn hình.",
			"It cancels an alert that never came; should that come, it will not start.")
	default:
		setOutcome(r, playlists.CAPIgnored, "Tin đó đã kết thúc.", "What it names is over already.")
	}
	return nil
}
