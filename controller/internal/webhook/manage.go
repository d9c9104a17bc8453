package webhook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Webhooks returns all webhooks without their secrets, sorted by ID.
func (s *Service) Webhooks() []playlists.Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]playlists.Webhook, 0, len(s.hooks))
	for _, w := range s.hooks {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b playlists.Webhook) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// PutWebhook creates or replaces a webhook. If w has no secret, an existing webhook keeps its secret, and a new one
// gets a random secret, which PutWebhook sets in w.
func (s *Service) PutWebhook(ctx context.Context, who *playlists.Principal, w *playlists.Webhook) error {
	if err := playlists.CheckSlug("webhooks/id", w.ID); err != nil {
		return err
	}
	bad := func(field, value string, key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: playlists.Invalid, Field: "webhooks/" + w.ID + "." + field, Value: value,
			Key: key, Args: args}
	}
	u, err := url.Parse(w.URL)
	if err == nil && !s.o.Anywhere && isPrivateHost(u.Hostname()) {
		return bad("url", w.URL, "private-address")
	}
	if err != nil || s.guard.MayGo(u) != nil || len(w.URL) > 500 {
		return bad("url", w.URL, "not-https")
	}
	if len(w.Events) == 0 {
		return bad("events", "", "events-missing")
	}
	for i, e := range w.Events {
		if !slices.Contains(Events, e) {
			return bad(fmt.Sprintf("events[%d]", i), e, "event-unknown")
		}
	}
	s.putMu.Lock()
	defer s.putMu.Unlock()
	s.mu.Lock()
	_, exists := s.hooks[w.ID]
	n := len(s.hooks)
	s.mu.Unlock()
	if !exists && n >= maxHooks {
		return &playlists.Error{Code: playlists.TooLarge, Field: "webhooks", Key: "too-many-webhooks", Args: []any{n}}
	}
	secret := w.Secret
	w.Secret = ""
	switch {
	case secret != "" && (len(secret) < minSecret || len(secret) > 200):
		return bad("secret", "", "secret-length", len(secret), minSecret)
	case secret == "" && !exists:
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
		secret = hex.EncodeToString(b[:])
		made := secret
		defer func() { w.Secret = made }()
	}
	if secret != "" {
		if err := s.keep(ctx, nil, kindSecret, w.ID, secret); err != nil {
			return err
		}
	}
	if err := s.keep(ctx, who, kindWebhook, w.ID, w); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[w.ID] = *w
	if secret == "" {
		secret = s.to[w.ID].secret
	}
	s.to[w.ID] = address{w.URL, secret}
	return nil
}

// DeleteWebhook deletes a webhook and its secret. The error is NotFound if it does not exist.
func (s *Service) DeleteWebhook(ctx context.Context, who *playlists.Principal, id string) error {
	s.putMu.Lock()
	defer s.putMu.Unlock()
	s.mu.Lock()
	_, exists := s.hooks[id]
	s.mu.Unlock()
	if !exists {
		return &playlists.Error{Code: playlists.NotFound, Field: "webhook", Value: id, Key: "not-here"}
	}
	if err := s.o.Records.Delete(ctx, who, kindWebhook, playlists.Public, id); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.hooks, id)
	delete(s.to, id)
	s.mu.Unlock()
	return s.o.Records.Delete(ctx, nil, kindSecret, playlists.Public, id)
}
