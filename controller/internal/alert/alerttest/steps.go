package alerttest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ledcast/playlists"
)

// Life is the part of alert.Service that starts an alert.
type Life interface {
	Create(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder) (*playlists.AlertView, error)
	Preview(ctx context.Context, id string) (*playlists.AlertPreview, error)
	Approve(ctx context.Context, who *playlists.Principal, id string,
		read *playlists.AlertApproval) (*playlists.AlertView, error)
}

// Run creates an alert and approves it.
func Run(t *testing.T, s Life, o *playlists.AlertOrder) *playlists.AlertView {
	t.Helper()
	if _, err := s.Create(t.Context(), Author, o); err != nil {
		t.Fatal(err)
	}
	p, err := s.Preview(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Approve(t.Context(), Approver, o.ID, &playlists.AlertApproval{Signs: &p.Signs, Digest: p.Digest})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Read returns an approval with the digest of the current preview and n as the number of signs.
func Read(t *testing.T, s Life, id string, n int) *playlists.AlertApproval {
	t.Helper()
	p, err := s.Preview(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return &playlists.AlertApproval{Signs: &n, Digest: p.Digest}
}

// Refused fails the test unless err is an *Error with a remedy and its text contains each of texts.
func Refused(t *testing.T, what string, err error, texts ...string) {
	t.Helper()
	var e *playlists.Error
	if !errors.As(err, &e) || e.English().Remedy == "" {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, text := range texts {
		if !strings.Contains(e.Error(), text) {
			t.Errorf("%s: %v; want %q", what, err, text)
		}
	}
}
