package enrol

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/records"
	"ledcast/playlists"
)

// PeopleOptions are what People works on.
type PeopleOptions struct {
	Data    string // the controller's folder
	URL     string // of the pages
	Auth    *auth.Service
	Things  Things
	Records records.Records
	Now     func() time.Time
}

// Things writes what admission lets in.
type Things interface {
	Put(ctx context.Context, who *playlists.Principal, t playlists.Thing, expected int64,
		waive *admission.Waive) (playlists.Written, error)
}

// People lets the first people in, and takes away what let one in.
type People struct{ o PeopleOptions }

// NewPeople makes one.
func NewPeople(o PeopleOptions) *People { return &People{o} }

// Console is whoever started the controller, for the log.
var Console = &playlists.Principal{ID: "console", Owner: playlists.Public, Role: playlists.RoleAdmin}

// AdminUser and SecondAdmin are the department's first administrators. They are two: whoever writes an urgent message and
// whoever approves it must have been let in by different people.
const (
	AdminUser   = "admin"
	SecondAdmin = "admin-2"
)

// FirstAdmins gives a controller that has nobody yet its first people, two administrators of the department, and a token
// of the first in DIR/tokens.json (mode 0600) for commands on this machine. There is no default password: the links of
// SignInLink let them in once.
func (p *People) FirstAdmins(ctx context.Context) (made bool, err error) {
	if p.o.Auth.Users() > 0 {
		return false, nil
	}
	for _, id := range []string{AdminUser, SecondAdmin} {
		if err := p.Add(ctx, &playlists.User{ID: id, Owner: playlists.Public, Role: playlists.RoleAdmin}); err != nil {
			return false, err
		}
	}
	return true, p.IssueTokens(ctx, auth.TokenLife, map[string]auth.Token{AdminUser: {Owner: playlists.Public,
		Role: playlists.RoleAdmin, May: []string{playlists.MayCancelAlerts}}})
}

// Add puts a person unless there is one of that name.
func (p *People) Add(ctx context.Context, u *playlists.User) error {
	if _, there := p.o.Auth.User(u.ID); there {
		return nil
	}
	_, err := p.o.Things.Put(ctx, Console, u, store.Absent, nil)
	return err
}

// SignInLink is an address that lets a person in, once and within 72 hours.
func (p *People) SignInLink(ctx context.Context, user string) (string, error) {
	code, _, err := p.o.Auth.Invite(ctx, Console, user)
	return p.o.URL + "/signin?code=" + code, err
}

// IssueTokens makes tokens and writes them to DIR/tokens.json.
func (p *People) IssueTokens(ctx context.Context, life time.Duration, tokens map[string]auth.Token) error {
	secrets := map[string]string{}
	for id, t := range tokens {
		t.ID, t.Expires = id, p.o.Now().Add(life).Unix()
		secret, err := p.o.Auth.Issue(ctx, Console, t)
		if err != nil {
			return err
		}
		secrets[id] = secret
	}
	return datadir.WriteJSON(filepath.Join(p.o.Data, "tokens.json"), secrets)
}

// Revoke ends a deleted user's sessions, password and invitation.
func (p *People) Revoke(ctx context.Context, by *playlists.Principal, id string) error {
	// The end of the sessions stays known: the same name may be given again.
	err := p.o.Auth.SignOutEverywhere(ctx, by, id)
	p.o.Auth.SetUser(id, nil)
	for _, kind := range []string{"password", "invite"} {
		if gone := p.o.Records.Delete(ctx, nil, kind, "", id); !playlists.IsNotFound(gone) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
