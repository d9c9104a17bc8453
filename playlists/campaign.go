package playlists

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Letter is the official letter that asks for a campaign.
type Letter struct {
	Number string `yaml:"number" json:"number"`               // as it is written, e.g. "123/STTTT-TTBCXB"
	Date   string `yaml:"date" json:"date"`                   // YYYY-MM-DD
	URL    string `yaml:"url,omitempty" json:"url,omitempty"` // where it can be read
}

// Campaign asks, for the department, for a share of the face's time on the
// signs it covers. It binds a company only up to the share, hours and signs of
// that company's Agreement.
type Campaign struct {
	ID           string   `yaml:"id" json:"id"`
	Name         string   `yaml:"name,omitempty" json:"name,omitempty"`
	Letter       Letter   `yaml:"letter" json:"letter"`
	Messages     []string `yaml:"messages" json:"messages"`               // ids of the department's messages, in turn
	SharePercent int64    `yaml:"share_percent" json:"share_percent"`     // of the face's time, 1 to 100
	Areas        []string `yaml:"areas,omitempty" json:"areas,omitempty"` // every sign in one of them, by Covers
	Signs        []string `yaml:"signs,omitempty" json:"signs,omitempty"` // and these
	Window       `yaml:",inline"`
	First        string   `yaml:"first" json:"first"`                       // YYYY-MM-DD in the sign's zone, inclusive
	Last         string   `yaml:"last" json:"last"`                         // likewise: a campaign always ends
	Except       []string `yaml:"except,omitempty" json:"except,omitempty"` // days on which its window does not open
}

// Agreement is what a company has agreed to show of the department's: so much
// of the face's time, in all campaigns together, on these signs at these hours.
type Agreement struct {
	ID           string `yaml:"id" json:"id"`
	Owner        string `yaml:"owner" json:"owner"`
	SharePercent int64  `yaml:"share_percent" json:"share_percent"` // 1 to 100
	// Signs and Tags say which of the company's signs; with neither, all.
	Signs  []string `yaml:"signs,omitempty" json:"signs,omitempty"`
	Tags   []string `yaml:"tags,omitempty" json:"tags,omitempty"`
	Window `yaml:",inline"`
	First  string `yaml:"first,omitempty" json:"first,omitempty"` // YYYY-MM-DD in the sign's zone, inclusive; "" is open
	Last   string `yaml:"last,omitempty" json:"last,omitempty"`
}

// Limits of a campaign.
const (
	MaxCampaignMessages = 50
	MaxCampaignAreas    = 200
	MaxLetterNumber     = 100 // runes
	MaxURL              = 500 // bytes
)

// Validate returns an *Error of code Invalid or TooLarge that names the field.
// That messages, areas and signs exist is not checked here.
func (c *Campaign) Validate() error {
	where := "campaigns/" + c.ID
	if err := CheckSlug("campaigns/id", c.ID); err != nil {
		return err
	}
	if err := checkName(where, c.Name); err != nil {
		return err
	}
	if err := c.Letter.check(where + ".letter"); err != nil {
		return err
	}
	if len(c.Messages) == 0 {
		return &Error{Code: Invalid, Field: where + ".messages", Key: "campaign-messages-empty"}
	}
	if err := checkNames(where+".messages", c.Messages, MaxCampaignMessages); err != nil {
		return err
	}
	if err := checkShare(where, c.SharePercent); err != nil {
		return err
	}
	if len(c.Areas)+len(c.Signs) == 0 {
		return &Error{Code: Invalid, Field: where + ".areas", Key: "campaign-areas-empty"}
	}
	if len(c.Areas) > MaxCampaignAreas {
		return &Error{Code: TooLarge, Field: where + ".areas",
			Key: "too-many-campaign-areas", Args: []any{len(c.Areas), MaxCampaignAreas}}
	}
	for i, a := range c.Areas {
		if err := CheckArea(fmt.Sprintf("%s.areas[%d]", where, i), a); err != nil {
			return err
		}
	}
	if err := checkNames(where+".signs", c.Signs, MaxNamedSigns); err != nil {
		return err
	}
	if err := c.Window.Validate(where); err != nil {
		return err
	}
	for _, x := range []struct{ name, value string }{{"first", c.First}, {"last", c.Last}} {
		if x.value == "" {
			return &Error{Code: Invalid, Field: where + "." + x.name, Key: "campaign-date-missing"}
		}
	}
	if err := checkSpan(where, c.First, c.Last); err != nil {
		return err
	}
	return checkExcept(where, c.Except)
}

// Validate returns an *Error of code Invalid or TooLarge that names the field.
func (a *Agreement) Validate() error {
	where := "agreements/" + a.ID
	if err := CheckSlug("agreements/id", a.ID); err != nil {
		return err
	}
	if err := CheckSlug(where+".owner", a.Owner); err != nil {
		return err
	}
	if err := checkShare(where, a.SharePercent); err != nil {
		return err
	}
	if err := checkNames(where+".signs", a.Signs, MaxNamedSigns); err != nil {
		return err
	}
	if err := checkNames(where+".tags", a.Tags, MaxTags); err != nil {
		return err
	}
	if err := a.Window.Validate(where); err != nil {
		return err
	}
	return checkSpan(where, a.First, a.Last)
}

func (l *Letter) check(where string) error {
	if blank(l.Number) {
		return &Error{Code: Invalid, Field: where + ".number", Key: "letter-number-missing"}
	}
	if n := utf8.RuneCountInString(l.Number); n > MaxLetterNumber {
		return &Error{Code: TooLarge, Field: where + ".number", Value: l.Number,
			Key: "letter-number-too-long", Args: []any{n, MaxLetterNumber}}
	}
	if l.Date == "" {
		return &Error{Code: Invalid, Field: where + ".date", Key: "letter-date-missing"}
	}
	if err := checkDate(where+".date", l.Date); err != nil {
		return err
	}
	if len(l.URL) > MaxURL {
		return &Error{Code: TooLarge, Field: where + ".url", Value: l.URL,
			Key: "address-too-long", Args: []any{len(l.URL), MaxURL}}
	}
	if l.URL != "" && !strings.HasPrefix(l.URL, "https://") && !strings.HasPrefix(l.URL, "http://") {
		return &Error{Code: Invalid, Field: where + ".url", Value: l.URL, Key: "url-malformed"}
	}
	return nil
}

func checkShare(where string, percent int64) error {
	if percent < 1 || percent > 100 {
		return &Error{Code: Invalid, Field: where + ".share_percent", Value: fmt.Sprint(percent),
			Key: "share-out-of-range"}
	}
	return nil
}

func checkName(where, name string) error {
	if n := utf8.RuneCountInString(name); n > MaxName {
		return &Error{Code: TooLarge, Field: where + ".name", Key: "text-too-long", Args: []any{n, MaxName}}
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return &Error{Code: Invalid, Field: where + ".name", Value: fmt.Sprintf("%q", name),
			Key: "name-has-control-character"}
	}
	return nil
}

// Key implements Thing.
func (c *Campaign) Key() Key { return Key{KindCampaign, "", c.ID} }

// Of implements Thing.
func (c *Campaign) Of() string { return Public }

// Complete implements Thing.
func (c *Campaign) Complete(_, id string) {
	c.ID = cmp.Or(c.ID, id)
}

// Refs implements Thing: a campaign names the department's messages, signs and
// areas.
func (c *Campaign) Refs() []Ref {
	where := "campaigns/" + c.ID
	var refs []Ref
	for i, id := range c.Messages {
		refs = append(refs, Ref{Key: Key{KindMessage, Public, id}, Field: fmt.Sprintf("%s.messages[%d]", where, i)})
	}
	refs = append(refs, signRefs(where, c.Signs, false)...)
	return append(refs, areaRefs(where, c.Areas)...)
}

// Reach implements Thing.
func (c *Campaign) Reach() Reach {
	where := "campaigns/" + c.ID
	return Reach{Areas: c.Areas, AreasField: where + ".areas[%d]", Signs: c.Signs, SignsField: where + ".signs[%d]"}
}

// Key implements Thing.
func (a *Agreement) Key() Key { return Key{KindAgreement, a.Owner, a.ID} }

// Of implements Thing.
func (a *Agreement) Of() string { return a.Owner }

// Complete implements Thing.
func (a *Agreement) Complete(owner, id string) {
	a.Owner = cmp.Or(a.Owner, owner)
	a.ID = cmp.Or(a.ID, id)
}

// Refs implements Thing: an agreement names its owner and the owner's signs.
func (a *Agreement) Refs() []Ref {
	where := "agreements/" + a.ID
	return append([]Ref{ownerRef(where, a.Owner)}, signRefs(where, a.Signs, true)...)
}

// Reach implements Thing: a company agrees for itself, wherever its signs are.
func (a *Agreement) Reach() Reach { return Reach{} }
