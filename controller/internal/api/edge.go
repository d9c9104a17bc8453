package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Handler serves the route table, and answers with a problem document what is
// not in it.
func (s *Server) Handler(mux *http.ServeMux) {
	for _, r := range s.Routes() {
		mux.Handle(r.Method+" "+r.Path, s.noSecrets(r.Handler))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { s.nowhere(w, r, mux) })
}

// nowhere answers what no route takes: another method of a path that is there,
// or no such path.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: &url.URL{Path: r.URL.Path}, Host: r.Host}
		if _, pattern := mux.Handler(probe); strings.HasPrefix(pattern, m+" ") && m != r.Method {
			allow = append(allow, m)
		}
	}
	if allow == nil {
		s.fail(w, r, &playlists.Error{Code: playlists.NotFound, Field: "path", Value: clip(r.URL.Path),
			Key: "path-unknown"})
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	p := problemOf(&playlists.Error{Code: playlists.Invalid, Field: "method", Value: clip(r.Method),
		Key: "method-not-allowed", Args: []any{strings.Join(allow, ", ")}})
	p.Status = http.StatusMethodNotAllowed
	writeProblem(w, p)
}

// noSecrets refuses a token in a query, where logs and histories keep it.
func (s *Server) noSecrets(next http.Handler) http.Handler {
	names := []string{"token", "access_token", "api_key", "apikey", "authorization"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.URL.Query() {
			if slices.Contains(names, strings.ToLower(name)) {
				s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: clip(name), Value: "…",
					Key: "secret-in-query"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// CrossOrigin answers a request that another site's page has made.
func (s *Server) CrossOrigin(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, &playlists.Error{Code: playlists.Denied, Field: "Origin", Value: clip(r.Header.Get("Origin")),
		Key: "foreign-origin"})
}
