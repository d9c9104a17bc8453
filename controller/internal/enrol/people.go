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

// PeopleOptions are the dependencies and options of People.
type PeopleOptions struct {
	Data    string // the controller's data directory
	URL     string // of the web interface
	Auth    *auth.Service
	Things  Things
	Records records.Records
	Now     func() time.Time
}

// Things writes objects after an admission check.
type Things interface {
	Put(ctx context.Context, who *playlists.Principal, t playlists.Thing, expected int64,
		waive *admission.Waive) (playlists.Written, error)
}

// People creates the first users and their invitations, and revokes the credentials of deleted users.
type People struct{ o PeopleOptions }

// NewPeople returns a People.
func NewPeople(o PeopleOptions) *People { return &People{o} }

// Console is the principal in the audit log for the person who started the controller.
var Console = &playlists.Principal{ID: "console", Owner: playlists.Public, Role: playlists.RoleAdmin}

// AdminUser and SecondAdmin are the department's first administrators. They are two: whoever writes an urgent message
// and whoever approves it must have been let in by different people.
const (
	AdminUser   = "admin"
	SecondAdmin = "admin-2"
)

// FirstAdmins creates two administrators of the department if the controller has no user yet. It also writes a token of
// the first to DIR/tokens.json, with mode 0600, for commands on this machine. There is no default password: SignInLink
// returns links for the first login. made reports whether the users were created.
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

// Add creates a user unless the ID exists already.
func (p *People) Add(ctx context.Context, u *playlists.User) error {
	if _, exists := p.o.Auth.User(u.ID); exists {
		return nil
	}
	_, err := p.o.Things.Put(ctx, Console, u, store.Absent, nil)
	return err
}

// SignInLink returns a URL with which a user can log in once within 72 hours.
func (p *People) SignInLink(ctx context.Context, user string) (string, error) {
	code, _, err := p.o.Auth.Invite(ctx, Console, user)
	return p.o.URL + "/signin?code=" + code, err
}

// IssueTokens creates API tokens that are valid for the time life, and writes their secrets by ID to
// DIR/tokens.json.
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

// Revoke deletes the sessions, the password and the invitation of a deleted user.
func (p *People) Revoke(ctx context.Context, by *playlists.Principal, id string) error {
	// The record of the logout stays, because the same ID may be used for another user later.
	err := p.o.Auth.SignOutEverywhere(ctx, by, id)
	p.o.Auth.SetUser(id, nil)
	for _, kind := range []string{"password", "invite"} {
		if gone := p.o.Records.Delete(ctx, nil, kind, "", id); !playlists.IsNotFound(gone) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
