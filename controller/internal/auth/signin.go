package auth

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"ledcast/playlists"
)

// Lives of a sign-in link and of the session that it opens. Sessions are kept
// in memory: a restart ends them.
const (
	linkLife    = 15 * time.Minute
	sessionLife = 12 * time.Hour
	cookieName  = "ledcast_session"
)

// session is somebody's, until it ends. In both tables it stands under the
// hash of its secret.
type session struct {
	who playlists.Principal
	end time.Time
}

// Link makes a code that signs who in once. Whoever starts the controller gets
// one on the terminal: there is no default password.
func (s *Service) Link(who playlists.Principal) (code string) {
	code = random()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[hash(code)] = session{who, s.now().Add(linkLife)}
	return code
}

// SignIn takes a code, once, opens a session, and leads to the pages.
func (s *Service) SignIn(w http.ResponseWriter, r *http.Request) {
	h := hash(r.URL.Query().Get("code"))
	s.mu.Lock()
	l, ok := s.links[h]
	delete(s.links, h)
	if !ok || !s.now().Before(l.end) {
		s.mu.Unlock()
		http.Error(w, "Liên kết đã dùng hoặc hết hạn; khởi động lại máy chủ để có liên kết mới.\nThis link was used or has expired; restart the controller for a new one.", http.StatusUnauthorized)
		return
	}
	secret := random()
	s.sessions[hash(secret)] = session{l.who, s.now().Add(sessionLife)}
	for k, x := range s.sessions {
		if !s.now().Before(x.end) {
			delete(s.sessions, k)
		}
	}
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", MaxAge: int(sessionLife.Seconds()), HttpOnly: true,
		Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	// Not a redirect: a strict cookie would not go with one that came from elsewhere.
	w.Header().Set("Refresh", "0; url=/")
}

// fromCookie is whose session the request carries, or nil.
func (s *Service) fromCookie(r *http.Request) *playlists.Principal {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s.mu.RLock()
	x, ok := s.sessions[hash(c.Value)]
	s.mu.RUnlock()
	if !ok || !s.now().Before(x.end) {
		return nil
	}
	who := x.who
	who.From = r.RemoteAddr
	return &who
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
