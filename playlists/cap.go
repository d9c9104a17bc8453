package playlists

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
)

// CAPPolicy says what alerts from outside, in the Common Alerting Protocol, may
// do here.
type CAPPolicy struct {
	// Senders are those whose alerts are taken; empty: anybody's, if one of the
	// department hands it in.
	Senders []string  `json:"senders"`
	Feeds   []CAPFeed `json:"feeds"`
	// Auto lets alerts of the senders run without a person. It holds once
	// another person has approved it; a change makes it wait again.
	Auto       *CAPAuto `json:"auto,omitempty"`
	ProposedBy string   `json:"proposed_by,omitempty"`
	Makers     []string `json:"makers,omitempty"` // of the proposer's credential, in the 24 h before
	ApprovedBy string   `json:"approved_by,omitempty"`
}

// CAPAuto bounds what may run without a person.
type CAPAuto struct {
	Areas       []string `json:"areas"` // every sign that is reached lies in one of them
	MaxPriority int64    `json:"max_priority"`
}

// CAPFeed is an address that is asked for alerts.
type CAPFeed struct {
	ID     string `json:"id"`
	URL    string `json:"url"` // https
	EveryS int64  `json:"every_s,omitempty"`
}

// Limits of a policy.
const (
	MaxCAPSenders = 100
	MaxCAPFeeds   = 20
	DefaultEveryS = 60
)

// Validate returns an *Error of code Invalid or TooLarge that names the field.
func (p *CAPPolicy) Validate() error {
	if len(p.Senders) > MaxCAPSenders || len(p.Feeds) > MaxCAPFeeds {
		return &Error{Code: TooLarge, Field: "cap",
			Key: "too-many-cap-sources", Args: []any{len(p.Senders), len(p.Feeds), MaxCAPSenders, MaxCAPFeeds}}
	}
	for i, s := range p.Senders {
		if blank(s) || len(s) > 200 {
			return &Error{Code: Invalid, Field: fmt.Sprintf("cap.senders[%d]", i), Value: s,
				Key: "cap-sender-malformed"}
		}
	}
	seen := map[string]bool{}
	for i, f := range p.Feeds {
		field := fmt.Sprintf("cap.feeds[%d]", i)
		if err := CheckSlug(field+".id", f.ID); err != nil {
			return err
		}
		if seen[f.ID] {
			return &Error{Code: Invalid, Field: field + ".id", Value: f.ID, Key: "feed-twice"}
		}
		seen[f.ID] = true
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			return &Error{Code: Invalid, Field: field + ".url", Value: f.URL, Key: "feed-address-malformed"}
		}
		if f.EveryS < 0 || f.EveryS > 0 && f.EveryS < 15 || f.EveryS > 3600 {
			return &Error{Code: Invalid, Field: field + ".every_s", Value: fmt.Sprint(f.EveryS),
				Key: "feed-interval-out-of-range"}
		}
	}
	if a := p.Auto; a != nil {
		if len(a.Areas) == 0 {
			return &Error{Code: Invalid, Field: "cap.auto.areas", Key: "cap-areas-empty"}
		}
		for i, x := range a.Areas {
			if err := CheckArea(fmt.Sprintf("cap.auto.areas[%d]", i), x); err != nil {
				return err
			}
		}
		if len(p.Senders) == 0 {
			return &Error{Code: Invalid, Field: "cap.senders", Key: "cap-senders-empty"}
		}
		if a.MaxPriority < 0 || a.MaxPriority > MaxAlertPriority {
			return &Error{Code: Invalid, Field: "cap.auto.max_priority", Value: fmt.Sprint(a.MaxPriority),
				Key: "cap-priority-out-of-range", Args: []any{MaxAlertPriority}}
		}
	}
	return nil
}

// Digest is of all that two people agree on: an approval holds for this alone.
func (p *CAPPolicy) Digest() string {
	c := CAPPolicy{Senders: append([]string{}, p.Senders...), Feeds: append([]CAPFeed{}, p.Feeds...), Auto: p.Auto}
	text, err := json.Marshal(&c)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// What became of a CAP document.
const (
	CAPPending   = "pending"   // an alert waits for a person
	CAPRunning   = "running"   // it runs, by the policy
	CAPCancelled = "cancelled" // what it names was ended
	CAPIgnored   = "ignored"   // nothing is to be done
	CAPHeld      = "held"      // a person has to look at it
	CAPRefused   = "refused"   // it cannot be taken
)

// CAPResult is what became of a document.
type CAPResult struct {
	Identifier string   `json:"identifier"`
	Sender     string   `json:"sender"`
	Sent       Moment   `json:"sent"`
	MsgType    string   `json:"msg_type"`
	AtMS       int64    `json:"at_ms"` // when it came
	From       string   `json:"from"`  // who handed it in, or the feed
	Outcome    string   `json:"outcome"`
	Because    Text     `json:"because"`
	Alerts     []string `json:"alerts,omitempty"` // ids of those that were made of it, or ended
}

// CAPFeedState is how a feed is doing.
type CAPFeedState struct {
	ID         string `json:"id"`
	URL        string `json:"url"`
	AskedMS    int64  `json:"asked_ms,omitempty"`
	AnsweredMS int64  `json:"answered_ms,omitempty"` // the last good answer
	ChangedMS  int64  `json:"changed_ms,omitempty"`  // the last one that was another
	Failures   int    `json:"failures,omitempty"`    // in a row
	Trouble    string `json:"trouble,omitempty"`     // why it cannot be relied on now; "" when it can
	TroubleVI  string `json:"trouble_vi,omitempty"`  // the same in Vietnamese
}
