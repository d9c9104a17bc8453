package playlists

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Item is one place in a playlist.
type Item struct {
	// id of a message of the same owner, or "public/<id>"
	Message string `yaml:"message" json:"message"`
	// how long it is shown; stretched where reading takes longer; 0 is the reading time
	DwellMS int64 `yaml:"dwell_ms,omitempty" json:"dwell_ms,omitempty"`
	// plays in proportion to the others' weights; left out, 1
	Weight Plays `yaml:"weight,omitempty" json:"weight,omitempty"`
	// instead of a weight: exactly so many plays each round of the playlist
	Count Plays `yaml:"count,omitempty" json:"count,omitempty"`
	// YYYY-MM-DD in the sign's zone, inclusive: not shown before it; "" is open
	First string `yaml:"first,omitempty" json:"first,omitempty"`
	Last  string `yaml:"last,omitempty" json:"last,omitempty"` // likewise: not shown after it
}

// Plays is how often an item plays, beside others or in each round: at least
// once. 0 is only what was left out; who writes a 0 means something that is not
// so, and is told.
type Plays int64

// UnmarshalJSON implements json.Unmarshaler. Its error is an *Error of code
// Invalid.
func (n *Plays) UnmarshalJSON(data []byte) error {
	text := strings.TrimSpace(string(data))
	if text == "null" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return &Error{Code: Invalid, Field: "plays", Value: text, Key: "plays-malformed"}
	}
	if v == 0 {
		return &Error{Code: Invalid, Field: "plays", Value: text, Key: "plays-zero"}
	}
	*n = Plays(v)
	return nil
}

// UnmarshalYAML is UnmarshalJSON for YAML, whose numbers are the same.
func (n *Plays) UnmarshalYAML(data []byte) error { return n.UnmarshalJSON(data) }

// Playlist is an order of messages that repeats.
type Playlist struct {
	ID    string `yaml:"id" json:"id"`
	Owner string `yaml:"owner" json:"owner"`
	Name  string `yaml:"name,omitempty" json:"name,omitempty"`
	Items []Item `yaml:"items" json:"items"`
}

// Limits of a playlist.
const (
	MaxItems   = 200
	MaxDwellMS = 5 * 60 * 1000
	MaxWeight  = 1000
	MaxCount   = 1000
)

// Validate returns an *Error of code Invalid or TooLarge that names the item.
func (p *Playlist) Validate() error {
	where := "playlists/" + p.ID
	if err := CheckSlug("playlists/id", p.ID); err != nil {
		return err
	}
	if err := CheckSlug(where+".owner", p.Owner); err != nil {
		return err
	}
	if len(p.Items) == 0 {
		return &Error{Code: Invalid, Field: where + ".items", Key: "playlist-empty"}
	}
	if len(p.Items) > MaxItems {
		return &Error{Code: TooLarge, Field: where + ".items",
			Key: "too-many-items", Args: []any{len(p.Items), MaxItems}}
	}
	for i, it := range p.Items {
		f := fmt.Sprintf("%s.items[%d]", where, i)
		if it.Message == "" {
			return &Error{Code: Invalid, Field: f + ".message", Key: "item-message-missing"}
		}
		if it.DwellMS < 0 || it.DwellMS > MaxDwellMS {
			return &Error{Code: Invalid, Field: f + ".dwell_ms", Value: fmt.Sprint(it.DwellMS),
				Key: "dwell-out-of-range", Args: []any{MaxDwellMS}}
		}
		if it.Weight < 0 || it.Weight > MaxWeight {
			return &Error{Code: Invalid, Field: f + ".weight", Value: fmt.Sprint(it.Weight),
				Key: "weight-out-of-range", Args: []any{MaxWeight}}
		}
		if it.Count < 0 || it.Count > MaxCount {
			return &Error{Code: Invalid, Field: f + ".count", Value: fmt.Sprint(it.Count),
				Key: "count-out-of-range", Args: []any{MaxCount}}
		}
		if it.Weight > 0 && it.Count > 0 {
			return &Error{Code: Invalid, Field: f + ".count", Value: fmt.Sprint(it.Count),
				Key: "weight-and-count", Args: []any{it.Weight}}
		}
		if err := checkSpan(f, it.First, it.Last); err != nil {
			return err
		}
	}
	return nil
}

// Key implements Thing.
func (p *Playlist) Key() Key { return Key{KindPlaylist, p.Owner, p.ID} }

// Of implements Thing.
func (p *Playlist) Of() string { return p.Owner }

// Complete implements Thing.
func (p *Playlist) Complete(owner, id string) {
	p.Owner = cmp.Or(p.Owner, owner)
	p.ID = cmp.Or(p.ID, id)
}

// Refs implements Thing: a playlist names its owner and its messages.
func (p *Playlist) Refs() []Ref {
	where := "playlists/" + p.ID
	refs := []Ref{ownerRef(where, p.Owner)}
	for i := range p.Items {
		owner, id := SplitRef(p.Owner, p.Items[i].Message)
		refs = append(refs, Ref{Key: Key{KindMessage, owner, id}, Field: fmt.Sprintf("%s.items[%d].message", where, i)})
	}
	return refs
}

// Reach implements Thing. The default rotation shows on every face.
func (p *Playlist) Reach() Reach {
	return Reach{ByUse: true, Everywhere: p.Owner == Public && p.ID == DefaultRotation}
}
