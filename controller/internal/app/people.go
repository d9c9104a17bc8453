package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/backup"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// records is the store as auth keeps people's ways in.
type records struct {
	store store.Store
	now   func() time.Time
}

func (r records) List(ctx context.Context, kind string) (map[string][]byte, error) {
	list, err := r.store.Objects().List(ctx, kind, store.AllOwners)
	out := make(map[string][]byte, len(list))
	for i := range list {
		out[list[i].ID] = list[i].Data
	}
	return out, err
}

func (r records) Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error {
	o := store.Object{Kind: kind, ID: id, Data: data, UpdatedMS: r.now().UnixMilli()}
	if by == nil {
		_, err := r.store.Objects().Put(ctx, o, store.AnyVersion)
		return err
	}
	_, err := r.store.Audit().Change(ctx, store.Change{Object: o, Of: owner, Expected: store.AnyVersion, By: by.Actor(r.now().UnixMilli())})
	return err
}

func (r records) Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error {
	o := store.Object{Kind: kind, ID: id}
	if by == nil {
		return r.store.Objects().Delete(ctx, kind, "", id, store.AnyVersion)
	}
	_, err := r.store.Audit().Change(ctx, store.Change{Object: o, Of: owner, Remove: true, Expected: store.AnyVersion, By: by.Actor(r.now().UnixMilli())})
	return err
}

// sessions is the store's sessions as scs keeps them.
type sessions struct {
	store store.Sessions
	now   func() time.Time
}

func (v sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return v.store.Find(ctx, token, v.now().UnixMilli())
}

func (v sessions) CommitCtx(ctx context.Context, token string, data []byte, end time.Time) error {
	return v.store.Commit(ctx, store.Session{Token: token, Data: data, ExpiryMS: end.UnixMilli()})
}

func (v sessions) DeleteCtx(ctx context.Context, token string) error {
	return v.store.Delete(ctx, token)
}

// The methods without a context are there for scs's interface, which calls
// the others where they exist.
func (v sessions) Find(token string) ([]byte, bool, error) {
	return v.FindCtx(context.Background(), token)
}
func (v sessions) Commit(token string, data []byte, end time.Time) error {
	return v.CommitCtx(context.Background(), token, data, end)
}
func (v sessions) Delete(token string) error { return v.DeleteCtx(context.Background(), token) }

// maintainEvery is how often the store is maintained.
const maintainEvery = 15 * time.Second

// keepIssued is how long programs that were issued are kept: 13 months, so that
// a year can be compared with the one before.
const keepIssued = 396 * 24 * time.Hour

// maintain deletes expired sessions and old documents. Its write also detects
// that this controller has lost the database, and must not go on.
func (a *App) maintain(ctx context.Context) {
	t := time.NewTicker(maintainEvery)
	defer t.Stop()
	var pruned time.Time
	for {
		if now := a.now(); now.Sub(pruned) >= 24*time.Hour {
			pruned = now
			if n, err := a.store.Documents().Prune(ctx, now.Add(-keepIssued).Unix()); err != nil && ctx.Err() == nil {
				a.log.Warn("old documents could not be deleted", "err", err)
			} else if n > 0 {
				a.log.Info("old documents were deleted", "documents", n)
			}
			if _, err := a.store.Health().Prune(ctx, now.Add(-api.KeepHealth).UnixMilli()); err != nil && ctx.Err() == nil {
				a.log.Warn("old conditions of signs could not be deleted", "err", err)
			}
		}
		err := a.store.Sessions().DeleteExpired(ctx, a.now().UnixMilli())
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, store.ErrLost):
			a.failed <- err
			return
		case err != nil:
			a.log.Warn("expired sessions could not be deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Failed tells why the controller has to end: another one has its database.
func (a *App) Failed() <-chan error { return a.failed }

// console is whoever started the controller, for the log.
var console = &playlists.Principal{ID: "console", Owner: playlists.Public, Role: playlists.RoleAdmin}

// AdminUser is the department's first administrator.
const AdminUser = "admin"

// FirstAdmin gives a controller that has nobody yet its first person, the
// department's administrator, and a token of theirs in DIR/tokens.json (mode
// 0600) for commands on this machine. There is no default password: the link
// of SignInLink lets them in once.
func (a *App) FirstAdmin(ctx context.Context) (made bool, err error) {
	if a.auth.Users() > 0 {
		return false, nil
	}
	u := &playlists.User{ID: AdminUser, Owner: playlists.Public, Role: playlists.RoleAdmin}
	if err := a.AddUser(ctx, u); err != nil {
		return false, err
	}
	return true, a.IssueTokens(ctx, auth.TokenLife, map[string]auth.Token{AdminUser: {Owner: playlists.Public, Role: playlists.RoleAdmin}})
}

// AddUser puts a person unless there is one of that name.
func (a *App) AddUser(ctx context.Context, u *playlists.User) error {
	if _, there := a.auth.User(u.ID); there {
		return nil
	}
	_, err := a.things.Put(ctx, console, u, store.Absent, nil)
	return err
}

// SignInLink is an address that lets a person in, once and within 72 hours.
func (a *App) SignInLink(ctx context.Context, user string) (string, error) {
	code, _, err := a.auth.Invite(ctx, console, user)
	return a.URL() + "/signin?code=" + code, err
}

// IssueTokens makes tokens and writes them to DIR/tokens.json.
func (a *App) IssueTokens(ctx context.Context, life time.Duration, tokens map[string]auth.Token) error {
	secrets := map[string]string{}
	for id, t := range tokens {
		t.ID, t.Expires = id, a.now().Add(life).Unix()
		secret, err := a.auth.Issue(ctx, console, t)
		if err != nil {
			return err
		}
		secrets[id] = secret
	}
	return datadir.WriteJSON(filepath.Join(a.o.Data, "tokens.json"), secrets)
}

// revokeAccess ends a deleted user's sessions, password and invitation.
func (a *App) revokeAccess(ctx context.Context, by *playlists.Principal, id string) error {
	// The end of the sessions stays known: the same name may be given again.
	err := a.auth.SignOutEverywhere(ctx, by, id)
	a.auth.SetUser(id, nil)
	for _, kind := range []string{"password", "invite"} {
		if gone := (records{a.store, a.now}).Delete(ctx, nil, kind, "", id); !playlists.IsNotFound(gone) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// auditLog is the store's log as the API reads it.
type auditLog struct{ store store.Store }

func (l auditLog) List(ctx context.Context, owner string, after int64, most int) ([]playlists.AuditEntry, error) {
	return l.store.Audit().List(ctx, whole(owner), after, most)
}

func (l auditLog) Newest(ctx context.Context, owner string, before int64, most int) ([]playlists.AuditEntry, error) {
	return l.store.Audit().Newest(ctx, whole(owner), before, most)
}

// whole is the owner whose entries somebody of an owner reads: the department
// answers for the installation.
func whole(owner string) string {
	if owner == playlists.Public {
		return store.AllOwners
	}
	return owner
}

func (l auditLog) Verify(ctx context.Context, expect *playlists.AuditHead) (playlists.AuditHead, error) {
	return backup.Verify(ctx, l.store, expect)
}
