package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"ledcast/playlists"
)

// digests caches digests.
type digests struct {
	lists     map[listLook]string
	messages  map[entryKey]string
	schedules map[*playlists.Schedule]string
	campaigns map[campaignLook]string
}

type listLook struct {
	list *list
	look look
}

type campaignLook struct {
	campaign *playlists.Campaign
	look     look
}

func newDigests() digests {
	return digests{lists: map[listLook]string{}, messages: map[entryKey]string{},
		schedules: map[*playlists.Schedule]string{}, campaigns: map[campaignLook]string{}}
}

// Digest returns a digest of everything that determines the sign's plans except
// the time: plans with equal digests and times are equal. Names that only people
// read do not change it.
//
// It draws every message that the sign may show. For a message that cannot be
// drawn the digest includes the error.
func (p *Planner) Digest(s *playlists.Sign) (string, error) {
	r, _, err := p.rules(s, 0, 0)
	if err != nil {
		return "", err
	}
	lk := lookOf(s)
	type base struct{ Rule, Digest string }
	input := struct {
		Sign, Owner, Class, Zone string
		Areas                    []string
		Picture                  bool
		Position                 *playlists.Place
		Light                    *playlists.Light
		Rules                    *playlists.Rules
		CommLossH                int64
		Floor                    playlists.Floor
		Schedules, Campaigns     []string // in the order in which they win
		Base                     []base
		Agreements               []playlists.Agreement
	}{Sign: s.ID, Owner: s.Owner, Class: s.Class.String(), Zone: s.TimeZone, Areas: s.Areas, Picture: s.Picture(),
		Position: s.Position, Light: s.Light, Rules: s.Rules, CommLossH: s.CommLossH, Floor: p.floors.For(s)}
	for _, x := range r.schedules {
		d, ok := p.digests.schedules[x.schedule]
		if !ok {
			bare := *x.schedule
			bare.Name, bare.Signs, bare.Tags = "", nil, nil // the order reflects how it covers the sign
			if d, err = digest(bare); err != nil {
				return "", err
			}
			p.digests.schedules[x.schedule] = d
		}
		input.Schedules = append(input.Schedules, d+p.listDigest(x.dated.list, lk))
	}
	for _, x := range r.base {
		input.Base = append(input.Base, base{x.rule, p.listDigest(x.dated.list, lk)})
	}
	for _, x := range r.campaigns {
		input.Campaigns = append(input.Campaigns, p.campaignDigest(x.campaign, lk))
	}
	for _, x := range r.agreements {
		bare := *x.agreement
		bare.Signs, bare.Tags = nil, nil
		input.Agreements = append(input.Agreements, bare)
	}
	return digest(&input)
}

func (p *Planner) listDigest(l *list, lk look) string {
	k := listLook{l, lk}
	if d, ok := p.digests.lists[k]; ok {
		return d
	}
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", l.playlist.Items)
	for _, it := range l.playlist.Items {
		owner, id := playlists.SplitRef(l.playlist.Owner, it.Message)
		fmt.Fprintf(h, "%q\n", p.messageDigest(lk, owner, id))
	}
	d := hex.EncodeToString(h.Sum(nil))
	p.digests.lists[k] = d
	return d
}

func (p *Planner) campaignDigest(c *playlists.Campaign, lk look) string {
	k := campaignLook{c, lk}
	if d, ok := p.digests.campaigns[k]; ok {
		return d
	}
	bare := *c
	bare.Name, bare.Signs, bare.Areas = "", nil, nil
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", bare)
	for _, id := range c.Messages {
		fmt.Fprintf(h, "%q\n", p.messageDigest(lk, playlists.Public, id))
	}
	d := hex.EncodeToString(h.Sum(nil))
	p.digests.campaigns[k] = d
	return d
}

func (p *Planner) messageDigest(lk look, owner, id string) string {
	k := entryKey{look: look{lk.class, lk.motion, 0}, owner: owner, id: id}
	if d, ok := p.digests.messages[k]; ok {
		return d
	}
	var d string
	if e, err := p.entry(k.look, owner, id, "", 0); err != nil {
		d = err.Error()
	} else {
		d = string(e.digest())
	}
	p.digests.messages[k] = d
	return d
}

// digest returns a digest of everything that a program and its reasons use of the
// entry's message and artwork. It is raw bytes, because there are many of them.
func (e *entry) digest() []byte {
	var b []byte
	for _, s := range [...]string{e.message.Owner, e.message.ID, e.message.Campaign, e.message.Title()} {
		b = append(strconv.AppendQuote(b, s), '|')
	}
	b = strconv.AppendFloat(b, e.art.Level, 'g', -1, 64)
	for i := range e.art.Frames {
		b = append(append(b, '|'), e.art.Frames[i].SHA256...)
	}
	for _, st := range e.art.Steps {
		b = strconv.AppendInt(append(b, '|'), st.Frame, 10)
		b = strconv.AppendInt(append(b, ','), st.MS, 10)
		if st.Scroll != nil {
			b = strconv.AppendInt(append(append(b, st.Scroll.Axis...), ','), st.Scroll.PxS, 10)
		}
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

func digest(v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
