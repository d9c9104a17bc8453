package capinbox

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/controller/internal/capinbox/cap12"
	"ledcast/playlists"
)

// feedPrincipal begins the name of a feed, where it acts.
const feedPrincipal = "cap-feed:"

// Bounds of a feed.
const (
	maxFeed      = 1 << 20 // bytes of one answer
	maxEntries   = 50      // new documents of one answer
	maxAsking    = 5       // feeds at a time
	feedTimeout  = 20 * time.Second
	feedLongest  = 2 * time.Minute  // with all documents that it lists
	feedAgain    = 10 * time.Minute // until a document that was refused or held is asked for again
	feedSilent   = 10 * time.Minute // without a good answer it cannot be relied on
	feedStill    = 48 * time.Hour   // with the same answer for so long somebody should look
	feedPatience = 15 * time.Second // between looks at what is due
)

// feed is an address that is asked. Its first part is the inbox's, under its
// lock; the rest is of who asks it, one at a time.
type feed struct {
	playlists.CAPFeed
	st     playlists.CAPFeedState
	body   string // digest of the last answer
	asking bool

	etag, modified string
	lists          bool                 // its last answer was a list
	links          []string             // of that, oldest first
	tried          map[string]time.Time // documents that need not be asked for; until then, or never again (zero)
}

// followFeeds makes the feeds those of the policy; what is known of one stays.
func (b *Inbox) followFeeds() {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := map[string]*feed{}
	for _, f := range b.policy.Feeds {
		if old := b.feeds[f.ID]; old != nil && old.URL == f.URL {
			old.EveryS = f.EveryS
			next[f.ID] = old
			continue
		}
		next[f.ID] = &feed{CAPFeed: f, tried: map[string]time.Time{}, st: playlists.CAPFeedState{ID: f.ID, URL: f.URL}}
	}
	b.feeds = next
}

// state says how a feed is doing. What it does not say is never taken for an
// all-clear.
func (f *feed) state(now time.Time) playlists.CAPFeedState {
	st := f.st
	switch {
	case st.Trouble != "":
	case st.AskedMS > 0 && now.Sub(time.UnixMilli(st.AnsweredMS)) > feedSilent:
		st.Trouble, st.TroubleVI = "has not answered for more than 10 minutes", "không trả lời đã hơn 10 phút"
	case st.ChangedMS > 0 && now.Sub(time.UnixMilli(st.ChangedMS)) > feedStill:
		st.Trouble, st.TroubleVI = "has said the same for more than two days", "trả lời y như cũ đã hơn hai ngày"
	}
	return st
}

// remark is what is to be said of a feed that answered.
type remark struct{ en, vi string }

func (r remark) Error() string { return r.en }

// errNothing says that a list has no entry. Most days nothing is the matter;
// that day it may be the feed.
var errNothing = remark{"lists nothing", "không liệt kê văn bản nào"}

// errDoubt says that what a feed brings waits for a right clock.
var errDoubt = remark{"its documents wait: the controller's clock is not certain",
	"các văn bản đang chờ: đồng hồ của máy điều khiển chưa chắc đúng"}

// askFeeds asks those that are due, some at a time: one that is slow holds no
// other up. A feed that fails, is empty or stands still clears nothing: it is
// reported, and asked again.
func (b *Inbox) askFeeds(ctx context.Context) {
	b.mu.Lock()
	var due []*feed
	now := b.o.Now()
	for _, f := range b.feeds {
		every := time.Duration(f.EveryS) * time.Second
		if every == 0 {
			every = playlists.DefaultEveryS * time.Second
		}
		// A clock that was ahead must not keep a feed waiting.
		if ago := now.Sub(time.UnixMilli(f.st.AskedMS)); !f.asking && (ago >= every || ago < 0) {
			f.st.AskedMS, f.asking = now.UnixMilli(), true
			due = append(due, f)
		}
	}
	b.mu.Unlock()
	var all errgroup.Group
	all.SetLimit(maxAsking)
	for _, f := range due {
		all.Go(func() error {
			in, cancel := context.WithTimeout(ctx, feedLongest)
			defer cancel()
			b.asked(f, b.askFeed(in, f))
			return nil
		})
	}
	_ = all.Wait()
}

// asked notes how it went.
func (b *Inbox) asked(f *feed, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.asking = false
	before := f.st.Trouble
	var said remark
	switch {
	case err == nil:
		f.st.Trouble, f.st.TroubleVI = "", ""
	case errors.As(err, &said):
		f.st.Trouble, f.st.TroubleVI = said.en, said.vi
	default:
		f.st.Failures++
		f.st.Trouble, f.st.TroubleVI = err.Error(), "không lấy được: "+err.Error()
	}
	if f.st.Trouble != "" && f.st.Trouble != before {
		b.o.Log.Warn("a feed of alerts cannot be relied on", "feed", f.ID, "err", err)
	}
	if err == nil || said != (remark{}) {
		f.st.Failures, f.st.AnsweredMS = 0, b.o.Now().UnixMilli()
	}
}

// RunFeeds asks feeds until ctx ends.
func (b *Inbox) RunFeeds(ctx context.Context) {
	t := time.NewTicker(feedPatience)
	defer t.Stop()
	for {
		b.askFeeds(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// fetch gets an address, conditionally where etag or modified say what is known.
func (b *Inbox) fetch(ctx context.Context, address, etag, modified string) (res *http.Response, body []byte,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, feedTimeout)
	defer cancel()
	headers := http.Header{"Accept": {
		"application/cap+xml, application/atom+xml, application/rss+xml, application/xml, text/xml"}}
	if etag != "" {
		headers.Set("If-None-Match", etag)
	}
	if modified != "" {
		headers.Set("If-Modified-Since", modified)
	}
	if res, err = b.o.Fetcher.Get(ctx, address, headers); err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotModified {
		return res, nil, nil
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("it answers %s", res.Status)
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, maxFeed+1))
	if err == nil && len(body) > maxFeed {
		err = fmt.Errorf("its answer is over the limit of %d bytes", maxFeed)
	}
	return res, body, err
}

// askFeed takes what is new in a feed: one CAP document, or a list (Atom, RSS)
// of addresses of such. Its error is a remark where the feed did answer.
func (b *Inbox) askFeed(ctx context.Context, f *feed) error {
	res, body, err := b.fetch(ctx, f.URL, f.etag, f.modified)
	if err != nil {
		return err
	}
	by := &playlists.Principal{ID: feedPrincipal + f.ID, Owner: playlists.Public, Role: playlists.RoleAuthor}
	settled, isList := true, true
	if res.StatusCode != http.StatusNotModified {
		var links []string
		if links, isList, err = entries(body); err != nil {
			return err
		}
		f.links, f.lists = links, isList
	}
	var trouble error
	switch {
	case !isList:
		if settled, err = b.fromFeed(ctx, by, body); err != nil {
			return err
		}
	case len(f.links) == 0 && (body != nil || f.lists):
		trouble = errNothing
	default:
		trouble = b.takeListed(ctx, f, by)
	}
	// Only now: what failed is asked again.
	if body != nil && settled && (trouble == nil || errors.Is(trouble, errNothing)) {
		f.etag, f.modified = res.Header.Get("ETag"), res.Header.Get("Last-Modified")
	}
	if body != nil {
		b.mu.Lock()
		if sum := capName(string(body)); sum != f.body {
			f.body, f.st.ChangedMS = sum, b.o.Now().UnixMilli()
		}
		b.mu.Unlock()
	}
	return trouble
}

// takeListed asks for the documents of a list that are new: the newest of them,
// and of these the oldest first, for what it updates comes before an Update.
func (b *Inbox) takeListed(ctx context.Context, f *feed, by *playlists.Principal) error {
	base, err := url.Parse(f.URL)
	if err != nil {
		return err
	}
	now := b.o.Now()
	var fresh []string
	for _, link := range f.links {
		u, err := base.Parse(link)
		if err != nil {
			continue
		}
		if again, tried := f.tried[u.String()]; !tried || !again.IsZero() && !again.After(now) {
			fresh = append(fresh, u.String())
		}
	}
	var trouble error
	if n := len(fresh) - maxEntries; n > 0 {
		trouble = remark{fmt.Sprintf("lists %d new documents at once; the %d oldest wait for the next time", len(fresh), n),
			fmt.Sprintf("liệt kê %d văn bản mới cùng lúc; %d văn bản cũ nhất chờ lần sau", len(fresh), n)}
		fresh = fresh[n:]
	}
	for _, at := range fresh {
		_, doc, err := b.fetch(ctx, at, "", "")
		settled := true
		if err == nil {
			settled, err = b.fromFeed(ctx, by, doc)
		}
		var bad *playlists.Error
		switch {
		case errors.As(err, &bad): // what cannot be read today cannot tomorrow
			f.tried[at] = time.Time{}
		case err == nil && settled:
			f.tried[at] = time.Time{}
		case err == nil: // it may be decided otherwise when the policy, the areas or what came are others
			f.tried[at] = now.Add(feedAgain)
		}
		if err != nil {
			trouble = fmt.Errorf("%s: %w", at, err)
		}
	}
	return trouble
}

// fromFeed takes a document. It is settled unless it was refused or held.
func (b *Inbox) fromFeed(ctx context.Context, by *playlists.Principal, doc []byte) (settled bool, err error) {
	r, err := b.takeCAP(ctx, &handed{by: by, fed: true}, doc)
	return err == nil && r.Outcome != playlists.CAPRefused && r.Outcome != playlists.CAPHeld, err
}

// entries reads the links of an Atom or RSS list, newest last. isList is false
// for anything else, such as a CAP document.
func entries(body []byte) (links []string, isList bool, err error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, false, errors.New("its answer is empty")
	}
	var root struct {
		XMLName xml.Name
		Entries []struct {
			Links []struct {
				Href string `xml:"href,attr"`
				Type string `xml:"type,attr"`
				Rel  string `xml:"rel,attr"`
			} `xml:"link"`
		} `xml:"entry"`
		Items []struct {
			Link string `xml:"link"`
		} `xml:"channel>item"`
	}
	if len(body) <= cap12.MaxBytes {
		// A list may be read loosely: every document in it is read strictly.
		if err := xml.Unmarshal(body, &root); err != nil {
			return nil, false, nil // CAP's reader says what is wrong
		}
	} else if err := xml.Unmarshal(body, &root); err != nil {
		return nil, false, fmt.Errorf("its answer cannot be read: %w", err)
	}
	switch root.XMLName.Local {
	case "feed":
		for _, e := range root.Entries {
			best := ""
			for _, l := range e.Links {
				if l.Type == "application/cap+xml" || best == "" && (l.Rel == "" || l.Rel == "alternate") {
					best = l.Href
				}
			}
			if best != "" {
				links = append(links, best)
			}
		}
	case "rss":
		for _, it := range root.Items {
			if it.Link != "" {
				links = append(links, it.Link)
			}
		}
	default:
		return nil, false, nil
	}
	slices.Reverse(links) // lists begin with the newest; what it updates comes first
	return links, true, nil
}
