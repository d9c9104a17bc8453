package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"ledcast/playlists"
)

// Lifetimes of sessions and links.
const (
	linkLife    = 72 * time.Hour
	sessionLife = 12 * time.Hour
	cookieName  = "ledcast_session"
)

// signin is the record of a user's password and sessions.
type signin struct {
	PasswordMS int64 `json:"password_ms,omitempty"` // when the password was set
	OutMS      int64 `json:"out_ms,omitempty"`      // sessions that began earlier have ended
	// Who made the link that let the person in last, with what they made it, and when it was used.
	Lineage []string `json:"lineage,omitempty"`
	MadeMS  int64    `json:"made_ms,omitempty"`
	// VouchedBy is the second administrator who stands for a way in that is younger than 24 h.
	VouchedBy string `json:"vouched_by,omitempty"`
}

// invite is a link that signs a user in once.
type invite struct {
	User    string `json:"user"`
	SHA256  string `json:"sha256"`
	Expires int64  `json:"expires"` // Unix seconds
	// Who made it, and the role that the user had then: a link of somebody who was demoted lets nobody in.
	Lineage []string       `json:"lineage,omitempty"`
	Role    playlists.Role `json:"role,omitempty"`
}

// SetUser replaces a user's record. u is nil for a deleted user.
func (s *Service) SetUser(id string, u *playlists.User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.notifyRevoked()
	if u == nil {
		delete(s.users, id)
		delete(s.hashes, id)
		s.forgetInvite(id)
		return
	}
	s.users[id] = *u
}

// User returns a user's record.
func (s *Service) User(id string) (playlists.User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, ok := s.users[id]
	return u, ok
}

// Users returns the number of users.
func (s *Service) Users() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.users)
}

// Invite makes the code of a link that signs user in once within 72 hours, to set
// a password. It ends an earlier link.
func (s *Service) Invite(ctx context.Context, by *playlists.Principal, user string) (code string, expires time.Time,
	err error) {
	u, ok := s.User(user)
	if !ok {
		return "", expires, noUser(user)
	}
	if err := by.CheckGrant("users/"+user, u.Owner, u.Areas, nil); err != nil {
		return "", expires, err
	}
	code, expires = random(), s.o.Now().Add(linkLife)
	inv := invite{User: user, SHA256: hash(code), Expires: expires.Unix(), Role: u.Role,
		Lineage: append([]string{by.ID}, by.Lineage...)}
	data, err := json.Marshal(inv)
	if err != nil {
		return "", expires, err
	}
	if err := s.o.Records.Put(ctx, by, kindInvite, u.Owner, user, data); err != nil {
		return "", expires, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetInvite(user)
	s.invites[inv.SHA256] = inv
	return code, expires, nil
}

func noUser(id string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: "users/id", Value: id, Key: "user-unknown"}
}

func (s *Service) forgetInvite(user string) {
	for h, x := range s.invites {
		if x.User == user {
			delete(s.invites, h)
		}
	}
}

// SetPassword replaces a user's password and ends all sessions of the user.
func (s *Service) SetPassword(ctx context.Context, by *playlists.Principal, user, password string) error {
	u, ok := s.User(user)
	if !ok {
		return noUser(user)
	}
	if err := CheckPassword(user, password); err != nil {
		return err
	}
	s.hashing <- struct{}{}
	h := hashPassword(password)
	<-s.hashing
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	now := s.o.Now().UnixMilli()
	// The log comes first: an entry about a password that was not set does less
	// harm than a password without an entry.
	x := s.signin(user)
	x.PasswordMS, x.OutMS = now, now
	if err := s.note(ctx, by, &u, x); err != nil {
		return err
	}
	if err := s.o.Records.Put(ctx, nil, kindPassword, "", user, data); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hashes[user] = h
	return nil
}

// SignOutEverywhere ends all sessions of a user.
func (s *Service) SignOutEverywhere(ctx context.Context, by *playlists.Principal, user string) error {
	u, ok := s.User(user)
	if !ok {
		return noUser(user)
	}
	if by.ID != "user:"+user && by.Officer() {
		if err := by.CheckGrant("users/"+user, u.Owner, u.Areas, by.Only); err != nil {
			return err
		}
	}
	x := s.signin(user)
	x.OutMS = s.o.Now().UnixMilli()
	return s.note(ctx, by, &u, x)
}

func (s *Service) signin(user string) signin {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.signins[user]
}

func (s *Service) note(ctx context.Context, by *playlists.Principal, u *playlists.User, x signin) error {
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	if err := s.o.Records.Put(ctx, by, kindSignin, u.Owner, u.ID, data); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signins[u.ID] = x
	s.notifyRevoked()
	return nil
}

// SignIn opens a session for a name and password and sets its cookie. The error is
// the same for an unknown name and a wrong password.
func (s *Service) SignIn(w http.ResponseWriter, r *http.Request, user, password string) (*playlists.Principal, error) {
	wrong := &playlists.Error{Code: playlists.Denied, Field: "password", Key: "sign-in-failed"}
	// Each account has a rate limit of its own; names without an account share one.
	u, known := s.User(user)
	account := "unknown"
	if known {
		account = user
	}
	if !s.limits.login(account, address(r.RemoteAddr)) {
		return nil, busy("too-many-sign-ins")
	}
	s.mu.RLock()
	phc, has := s.hashes[user]
	s.mu.RUnlock()
	if !has {
		phc = nobody // as much work as for a known name
	}
	s.hashing <- struct{}{}
	right := verifyPassword(phc, password)
	<-s.hashing
	if !right || !known || !has || u.Disabled {
		return nil, wrong
	}
	if err := s.begin(w, r, &u); err != nil {
		return nil, err
	}
	return s.principal(&u), nil
}

// firstDay reports whether a moment lies in the first 24 h of the installation.
func (s *Service) firstDay(ms int64) bool {
	return s.o.Born != nil && time.UnixMilli(ms).Sub(s.o.Born()) < makersCount
}

// Vouch lets a person approve whose way in is younger than 24 h. by is an administrator who did not let them in.
func (s *Service) Vouch(ctx context.Context, by *playlists.Principal, user string) error {
	u, ok := s.User(user)
	if !ok {
		return noUser(user)
	}
	if err := by.CheckGrant("users/"+user, u.Owner, u.Areas, nil); err != nil {
		return err
	}
	x := s.signin(user)
	err := playlists.CheckSecond("users/"+user, playlists.Author{ID: "user:" + user, Makers: s.people(x.Lineage)}, by)
	if err != nil {
		return err
	}
	x.VouchedBy = by.ID
	return s.note(ctx, by, &u, x)
}

// nobody is the hash of a password that no user has.
var nobody = hashPassword(random())

// Redeem uses up the code of a link and opens a session for its user.
func (s *Service) Redeem(w http.ResponseWriter, r *http.Request, code string) (*playlists.Principal, error) {
	if err := s.Attempt(r); err != nil {
		return nil, err
	}
	h := hash(code)
	s.mu.Lock()
	inv, ok := s.invites[h]
	delete(s.invites, h)
	s.mu.Unlock()
	u, known := s.User(inv.User)
	if !ok || !known || u.Disabled || inv.Role != "" && inv.Role != u.Role || s.o.Now().Unix() >= inv.Expires {
		return nil, &playlists.Error{Code: playlists.Denied, Field: "code", Key: "invite-expired"}
	}
	// Who made the link knew it, and may be who uses it.
	x := s.signin(u.ID)
	x.Lineage, x.MadeMS, x.VouchedBy = inv.Lineage, s.o.Now().UnixMilli(), ""
	who := s.principal(&u)
	who.From = r.RemoteAddr
	if err := s.o.Records.Delete(r.Context(), who, kindInvite, u.Owner, u.ID); err != nil {
		return nil, err
	}
	if err := s.note(r.Context(), who, &u, x); err != nil {
		return nil, err
	}
	who = s.principal(&u)
	who.From = r.RemoteAddr
	if err := s.begin(w, r, &u); err != nil {
		return nil, err
	}
	return who, nil
}

// begin opens a session and sets its cookie.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, u *playlists.User) error {
	ctx, err := s.sessions.Load(r.Context(), "")
	if err != nil {
		return err
	}
	s.sessions.Put(ctx, "user", u.ID)
	s.sessions.Put(ctx, "since", s.o.Now().UnixMilli())
	s.sessions.Put(ctx, "role", string(u.Role)+" "+u.Owner)
	secret, _, err := s.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true,
		Secure:   r.TLS != nil, SameSite: http.SameSiteStrictMode})
	return nil
}

// SignOut ends the session of the request.
func (s *Service) SignOut(w http.ResponseWriter, r *http.Request) error {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	ctx, err := s.sessions.Load(r.Context(), c.Value)
	if err != nil {
		return err
	}
	if err := s.sessions.Destroy(ctx); err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: r.TLS != nil,
		SameSite: http.SameSiteStrictMode})
	return nil
}

// bySession returns the user of the request's session, or nil.
func (s *Service) bySession(r *http.Request) *playlists.Principal {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	ctx, err := s.sessions.Load(r.Context(), c.Value)
	if err != nil {
		return nil
	}
	id, since := s.sessions.GetString(ctx, "user"), s.sessions.GetInt64(ctx, "since")
	role := s.sessions.GetString(ctx, "role")
	u, ok := s.User(id)
	if !ok || u.Disabled || since < s.signin(id).OutMS || s.o.Now().Sub(time.UnixMilli(since)) >= sessionLife ||
		role != "" && role != string(u.Role)+" "+u.Owner { // a session ends with the role that it began in
		return nil
	}
	return s.principal(&u)
}

// principal is a person who is signed in.
func (s *Service) principal(u *playlists.User) *playlists.Principal {
	x := s.signin(u.ID)
	p := &playlists.Principal{ID: "user:" + u.ID, Owner: u.Owner, Role: u.Role, Areas: u.Areas,
		Lineage: s.people(x.Lineage)}
	if s.o.Demo && slices.Contains(s.o.BuiltIn, u.ID) {
		p.Lineage = nil
	}
	p.Makers = makers(p.Lineage, x.MadeMS, s.o.Now())
	p.Fresh = len(p.Makers) > 0 && x.VouchedBy == "" && !s.firstDay(x.MadeMS)
	return p
}
