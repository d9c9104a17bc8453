// Package web is the pages: HTML templates, one style sheet and plain ES
// modules, all embedded. There is no build step and no dependency; pages load
// nothing from another host.
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed static/*.css static/*.js static/*.svg
var static embed.FS

//go:embed wall.html
var wallHTML string

//go:embed signin.html
var signinHTML string

//go:embed words.json
var wordsJSON []byte

// Languages of the pages; the first is the default.
var Languages = []string{"vi", "en"}

// Options are what every page says of the installation.
type Options struct {
	Insecure  bool             // other machines reach it without encryption
	RootsHere func() bool      // the root keys still lie on this machine
	KeysEnd   func() time.Time // when the key set ends
	Now       func() time.Time
}

// warnKeys is how long before the end of the key set the pages warn.
const warnKeys = 60 * 24 * time.Hour

type pages struct {
	o      Options
	wall   *template.Template
	signin *template.Template
	words  map[string]map[string]string // language → key → text
}

// New reads the catalogue and the templates. Its error is a mistake in them.
func New(o Options) (http.Handler, error) {
	p := &pages{o: o}
	if err := json.Unmarshal(wordsJSON, &p.words); err != nil {
		return nil, fmt.Errorf("words.json: %w", err)
	}
	var err error
	if p.wall, err = template.New("wall").Parse(wallHTML); err != nil {
		return nil, err
	}
	if p.signin, err = template.New("signin").Parse(signinHTML); err != nil {
		return nil, err
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.serve(p.wall))
	mux.HandleFunc("GET /signin", p.serve(p.signin))
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(files)))
	return secured(mux), nil
}

// secured sets the headers of every page: nothing but our own files, no inline
// script, no frame around us.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}

// language is the reader's choice, then the browser's wish, then Vietnamese.
func language(r *http.Request) string {
	known := func(l string) bool { return l == "vi" || l == "en" }
	if q := r.URL.Query().Get("lang"); known(q) {
		return q
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if base, _, _ := strings.Cut(tag, "-"); known(base) {
			return base
		}
	}
	return Languages[0]
}

// notes is what every page says of the installation.
func (p *pages) notes(lang string) []string {
	var notes []string
	if p.o.Insecure {
		notes = append(notes, p.words[lang]["insecure"])
	}
	if p.o.RootsHere() {
		notes = append(notes, p.words[lang]["roots"])
	}
	if end := p.o.KeysEnd(); end.Sub(p.o.Now()) < warnKeys {
		notes = append(notes, fmt.Sprintf(p.words[lang]["keys_end"], end.UTC().Format(time.DateOnly)))
	}
	return notes
}

func (p *pages) serve(t *template.Template) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := language(r)
		words, err := json.Marshal(p.words[lang])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		other := "en"
		if lang == "en" {
			other = "vi"
		}
		var page bytes.Buffer
		if err := t.Execute(&page, map[string]any{"Lang": lang, "Other": other, "W": p.words[lang], "Words": string(words), "Notes": p.notes(lang)}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}
}
