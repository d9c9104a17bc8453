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

// feedPrincipal is the prefix of a feed's principal ID.
const feedPrincipal = "cap-feed:"

// Limits and intervals of feeds.
const (
	maxAnswer       = 1 << 20 // bytes of one response
	maxNewDocuments = 50      // new documents from one response
	maxPolls        = 5       // feeds polled at the same time
	fetchTimeout    = 20 * time.Second
	pollTimeout     = 2 * time.Minute  // of one poll, with all documents that the feed lists
	retryDocument   = 10 * time.Minute // until a refused or held document is fetched again
	silentAfter     = 10 * time.Minute // without a good response: the feed is reported as silent
	unchangedAfter  = 48 * time.Hour   // with the same response: the feed is reported as stale
	pollInterval    = 15 * time.Second // between checks for feeds that are due
)

// feed is an address that the inbox polls. Inbox.mu guards the first group of
// fields. The others belong to the goroutine that polls the feed.
type feed struct {
	playlists.CAPFeed
	st      playlists.CAPFeedState
	body    string // digest of the last response
	polling bool

	etag, modified string
	isList         bool                 // the last response was a list
	links          []string             // in the last list, oldest first
	nextTry        map[string]time.Time // when to fetch a known document again; zero means never
}

// updateFeeds sets the feeds from the policy. A feed that stays keeps its state.
func (b *Inbox) updateFeeds() {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := map[string]*feed{}
	for _, f := range b.policy.Feeds {
		if old := b.feeds[f.ID]; old != nil && old.URL == f.URL {
			old.EveryS = f.EveryS
			next[f.ID] = old
			continue
		}
		next[f.ID] = &feed{CAPFeed: f, nextTry: map[string]time.Time{},
			st: playlists.CAPFeedState{ID: f.ID, URL: f.URL}}
	}
	b.feeds = next
}

// state returns the state of a feed, including trouble that follows from silence.
func (f *feed) state(now time.Time) playlists.CAPFeedState {
	st := f.st
	switch {
	case st.Trouble != "":
	case st.AskedMS > 0 && now.Sub(time.UnixMilli(st.AnsweredMS)) > silentAfter:
		st.Trouble, st.TroubleVI = "has not answered for more than 10 minutes", "không trả lời đã hơn 10 phút"
	case st.ChangedMS > 0 && now.Sub(time.UnixMilli(st.ChangedMS)) > unchangedAfter:
		st.Trouble, st.TroubleVI = "has said the same for more than two days", "trả lời y như cũ đã hơn hai ngày"
	}
	return st
}

// feedWarning is a problem with a feed that did respond.
type feedWarning struct{ en, vi string }

func (r feedWarning) Error() string { return r.en }

// errEmptyList means that a list has no entries. This is normal on a quiet day,
// but it can also mean that the feed is broken.
var errEmptyList = feedWarning{"lists nothing", "không liệt kê văn bản nào"}

// errClockInDoubt means that a feed's documents wait until the clock is trusted.
var errClockInDoubt = feedWarning{"its documents wait: the controller's clock is not certain",
	"các văn bản đang chờ: đồng hồ của máy điều khiển chưa chắc đúng"}

// pollFeeds polls the feeds that are due, several at a time, so that a slow feed
// does not delay the others. A feed that fails, is empty or does not change never
// ends an alert. It is reported and polled again.
func (b *Inbox) pollFeeds(ctx context.Context) {
	b.mu.Lock()
	var due []*feed
	now := b.o.Now()
	for _, f := range b.feeds {
		every := time.Duration(f.EveryS) * time.Second
		if every == 0 {
			every = playlists.DefaultEveryS * time.Second
		}
		// ago is negative if the clock was ahead. The feed must not wait until then.
		if ago := now.Sub(time.UnixMilli(f.st.AskedMS)); !f.polling && (ago >= every || ago < 0) {
			f.st.AskedMS, f.polling = now.UnixMilli(), true
			due = append(due, f)
		}
	}
	b.mu.Unlock()
	var all errgroup.Group
	all.SetLimit(maxPolls)
	for _, f := range due {
		all.Go(func() error {
			in, cancel := context.WithTimeout(ctx, pollTimeout)
			defer cancel()
			b.recordPoll(f, b.pollFeed(in, f))
			return nil
		})
	}
	_ = all.Wait()
}

// recordPoll records the result of a poll.
func (b *Inbox) recordPoll(f *feed, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.polling = false
	before := f.st.Trouble
	var warning feedWarning
	switch {
	case err == nil:
		f.st.Trouble, f.st.TroubleVI = "", ""
	case errors.As(err, &warning):
		f.st.Trouble, f.st.TroubleVI = warning.en, warning.vi
	default:
		f.st.Failures++
		f.st.Trouble, f.st.TroubleVI = err.Error(), "không lấy được: "+err.Error()
	}
	if f.st.Trouble != "" && f.st.Trouble != before {
		b.o.Log.Warn("CAP feed has a problem", "feed", f.ID, "err", err)
	}
	if err == nil || warning != (feedWarning{}) {
		f.st.Failures, f.st.AnsweredMS = 0, b.o.Now().UnixMilli()
	}
}

// RunFeeds polls feeds until ctx is done.
func (b *Inbox) RunFeeds(ctx context.Context) {
	t := time.NewTicker(pollInterval)
	defer t.Stop()
	for {
		b.pollFeeds(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// fetch gets an address, conditionally if etag or modified is set.
func (b *Inbox) fetch(ctx context.Context, address, etag, modified string) (res *http.Response, body []byte,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
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
	body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("its answer is over the limit of %d bytes", maxAnswer)
	}
	return res, body, err
}

// pollFeed processes what is new in a feed, which is either one CAP document or an
// Atom or RSS list of addresses. It returns a feedWarning if the feed did respond.
func (b *Inbox) pollFeed(ctx context.Context, f *feed) error {
	res, body, err := b.fetch(ctx, f.URL, f.etag, f.modified)
	if err != nil {
		return err
	}
	by := &playlists.Principal{ID: feedPrincipal + f.ID, Owner: playlists.Public, Role: playlists.RoleAuthor}
	settled, isList := true, true
	if res.StatusCode != http.StatusNotModified {
		var links []string
		if links, isList, err = parseList(body); err != nil {
			return err
		}
		f.links, f.isList = links, isList
	}
	var trouble error
	switch {
	case !isList:
		if settled, err = b.takeFromFeed(ctx, by, body); err != nil {
			return err
		}
	case len(f.links) == 0 && (body != nil || f.isList):
		trouble = errEmptyList
	default:
		trouble = b.takeList(ctx, f, by)
	}
	// If something failed, the old ETag stays, and the next poll fetches it again.
	if body != nil && settled && (trouble == nil || errors.Is(trouble, errEmptyList)) {
		f.etag, f.modified = res.Header.Get("ETag"), res.Header.Get("Last-Modified")
	}
	if body != nil {
		b.mu.Lock()
		if sum := shortHash(string(body)); sum != f.body {
			f.body, f.st.ChangedMS = sum, b.o.Now().UnixMilli()
		}
		b.mu.Unlock()
	}
	return trouble
}

// takeList fetches the newest maxNewDocuments new documents of a list. It fetches
// the oldest of these first, because an Update must come after what it updates.
func (b *Inbox) takeList(ctx context.Context, f *feed, by *playlists.Principal) error {
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
		if again, known := f.nextTry[u.String()]; !known || !again.IsZero() && !again.After(now) {
			fresh = append(fresh, u.String())
		}
	}
	var trouble error
	if n := len(fresh) - maxNewDocuments; n > 0 {
		trouble = feedWarning{
			fmt.Sprintf("lists %d new documents at once; the %d oldest wait for the next time", len(fresh), n),
			fmt.Sprintf("liệt kê %d văn bản mới cùng lúc; %d văn bản cũ nhất chờ lần sau", len(fresh), n)}
		fresh = fresh[n:]
	}
	for _, at := range fresh {
		_, doc, err := b.fetch(ctx, at, "", "")
		settled := true
		if err == nil {
			settled, err = b.takeFromFeed(ctx, by, doc)
		}
		var bad *playlists.Error
		switch {
		case errors.As(err, &bad): // a malformed document stays malformed
			f.nextTry[at] = time.Time{}
		case err == nil && settled:
			f.nextTry[at] = time.Time{}
		case err == nil: // a new policy, new areas or other documents may change the outcome
			f.nextTry[at] = now.Add(retryDocument)
		}
		if err != nil {
			trouble = fmt.Errorf("%s: %w", at, err)
		}
	}
	return trouble
}

// takeFromFeed processes a document from a feed. It is settled unless it is refused or held.
func (b *Inbox) takeFromFeed(ctx context.Context, by *playlists.Principal, doc []byte) (settled bool, err error) {
	r, err := b.process(ctx, &submission{by: by, fromFeed: true}, doc)
	return err == nil && r.Outcome != playlists.CAPRefused && r.Outcome != playlists.CAPHeld, err
}

// parseList returns the links of an Atom or RSS list, newest last. isList is false
// for anything else, such as a CAP document.
func parseList(body []byte) (links []string, isList bool, err error) {
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
		// Parsing the list loosely is safe, because cap12 parses each document strictly.
		if err := xml.Unmarshal(body, &root); err != nil {
			return nil, false, nil // cap12.Parse reports what is wrong
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
	slices.Reverse(links) // lists begin with the newest entry
	return links, true, nil
}
