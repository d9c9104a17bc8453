package alert

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

	"ledcast/controller/internal/alert/cap12"
	"ledcast/playlists"
)

// feedPrincipal begins the name of a feed, where it acts.
const feedPrincipal = "cap-feed:"

// Bounds of a feed.
const (
	maxFeed      = 1 << 20 // bytes of one answer
	maxEntries   = 50      // documents of one answer
	feedTimeout  = 20 * time.Second
	feedSilent   = 10 * time.Minute // without a good answer it cannot be relied on
	feedStill    = 48 * time.Hour   // with the same answer for so long somebody should look
	feedPatience = 15 * time.Second // between looks at what is due
)

// feed is an address that is asked.
type feed struct {
	playlists.CAPFeed
	etag, modified string
	tried          map[string]bool // addresses of documents that were taken or cannot be
	st             playlists.CAPFeedState
	body           string // digest of the last answer
}

// followFeeds makes the feeds those of the policy; what is known of one stays.
func (s *Service) followFeeds() {
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	next := map[string]*feed{}
	for _, f := range s.inbox.policy.Feeds {
		if old := s.inbox.feeds[f.ID]; old != nil && old.URL == f.URL {
			old.CAPFeed = f
			next[f.ID] = old
			continue
		}
		next[f.ID] = &feed{CAPFeed: f, tried: map[string]bool{}, st: playlists.CAPFeedState{ID: f.ID, URL: f.URL}}
	}
	s.inbox.feeds = next
}

// state says how a feed is doing. What it does not say is never taken for an
// all-clear.
func (f *feed) state(now time.Time) playlists.CAPFeedState {
	st := f.st
	switch {
	case st.Failures > 0:
	case st.AskedMS > 0 && now.Sub(time.UnixMilli(st.AnsweredMS)) > feedSilent:
		st.Trouble = "has not answered for more than 10 minutes"
	case st.ChangedMS > 0 && now.Sub(time.UnixMilli(st.ChangedMS)) > feedStill:
		st.Trouble = "has said the same for more than two days"
	}
	return st
}

// askFeeds asks those that are due. A feed that fails, is empty or stands still
// clears nothing: it is reported, and asked again.
func (s *Service) askFeeds(ctx context.Context) {
	s.inbox.mu.Lock()
	var due []*feed
	now := s.o.Now()
	for _, f := range s.inbox.feeds {
		every := time.Duration(f.EveryS) * time.Second
		if every == 0 {
			every = playlists.DefaultEveryS * time.Second
		}
		if now.Sub(time.UnixMilli(f.st.AskedMS)) >= every {
			f.st.AskedMS = now.UnixMilli()
			due = append(due, f)
		}
	}
	s.inbox.mu.Unlock()
	for _, f := range due {
		err := s.askFeed(ctx, f)
		s.inbox.mu.Lock()
		if err != nil {
			f.st.Failures++
			if f.st.Trouble != err.Error() {
				s.o.Log.Warn("a feed of alerts cannot be relied on", "feed", f.ID, "err", err)
			}
			f.st.Trouble = err.Error()
		} else {
			f.st.Failures, f.st.Trouble = 0, ""
			f.st.AnsweredMS = s.o.Now().UnixMilli()
		}
		s.inbox.mu.Unlock()
	}
}

// RunFeeds asks feeds until ctx ends.
func (s *Service) RunFeeds(ctx context.Context) {
	t := time.NewTicker(feedPatience)
	defer t.Stop()
	for {
		s.askFeeds(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (h *hooks) mayAsk(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("is not an address")
	}
	return h.mayGo(u)
}

// fetch gets an address, conditionally where etag or modified say what is known.
func (s *Service) fetch(ctx context.Context, address, etag, modified string) (res *http.Response, body []byte, err error) {
	if err := s.hooks.mayAsk(address); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, feedTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/cap+xml, application/atom+xml, application/rss+xml, application/xml, text/xml")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	if modified != "" {
		req.Header.Set("If-Modified-Since", modified)
	}
	if res, err = s.hooks.client.Do(req); err != nil {
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
// of addresses of such.
func (s *Service) askFeed(ctx context.Context, f *feed) error {
	res, body, err := s.fetch(ctx, f.URL, f.etag, f.modified)
	if err != nil || body == nil && res.StatusCode == http.StatusNotModified {
		return err
	}
	who := &playlists.Principal{ID: feedPrincipal + f.ID, Owner: playlists.Public, Role: playlists.RoleAuthor}
	links, isList, err := entries(body)
	if err != nil {
		return err
	}
	if !isList {
		if _, err := s.takeCAP(ctx, &handed{by: who, fed: true}, body); err != nil {
			return err
		}
	}
	base, err := url.Parse(f.URL)
	if err != nil {
		return err
	}
	var trouble error
	for _, link := range links {
		u, err := base.Parse(link)
		if err != nil || f.tried[u.String()] {
			continue
		}
		_, doc, err := s.fetch(ctx, u.String(), "", "")
		if err == nil {
			_, err = s.takeCAP(ctx, &handed{by: who, fed: true}, doc)
		}
		var bad *playlists.Error
		if err == nil || errors.As(err, &bad) { // what cannot be read today cannot tomorrow
			f.tried[u.String()] = true
		}
		if err != nil {
			trouble = fmt.Errorf("%s: %w", u.Redacted(), err)
		}
	}
	// Only now: what failed is asked again.
	if trouble == nil {
		f.etag, f.modified = res.Header.Get("ETag"), res.Header.Get("Last-Modified")
	}
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	if sum := capName(string(body)); sum != f.body {
		f.body, f.st.ChangedMS = sum, s.o.Now().UnixMilli()
	}
	return trouble
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
	if len(links) > maxEntries {
		links = links[:maxEntries]
	}
	slices.Reverse(links) // lists begin with the newest; what it updates comes first
	return links, true, nil
}
