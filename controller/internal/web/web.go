// Package web serves the pages: HTML templates, style sheets and plain ES modules,
// all embedded. There is no build step and no dependency, and pages load nothing
// from another host. All state is in the API: a template is the frame of a page in
// the reader's language, and the page's module fills it.
//
// static/types.d.ts has the types of the API. A module that begins with
// // @ts-check is checked against it; the tests of modules are in statictest.
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ledcast/playlists"
)

//go:embed static/*.css static/*.js static/*.svg
var static embed.FS

//go:embed pages/*.html
var templates embed.FS

//go:embed words.json
var wordsJSON []byte

// Languages of the pages; the first is the default.
var Languages = []string{"vi", "en"}

// Options describe the installation to every page.
type Options struct {
	Insecure  bool             // other machines reach it without encryption
	RootsHere func() bool      // the root keys are still on this machine
	KeysEnd   func() time.Time // when the key set ends
	Now       func() time.Time
}

// warnKeys is the time before the end of the key set during which pages warn.
const warnKeys = 60 * 24 * time.Hour

// words is the catalogue of texts: key → language → text.
type words map[string]map[string]string

// of returns the texts that a page sends to its module, as JSON: every key with
// one of the prefixes, in one language.
func (w words) of(lang string, prefixes []string) (string, error) {
	out := map[string]string{}
	for key, texts := range w {
		for _, p := range append([]string{"c.", "nav."}, prefixes...) {
			if strings.HasPrefix(key, p) {
				out[key] = texts[lang]
			}
		}
	}
	text, err := json.Marshal(out) // sorts the keys
	return string(text), err
}

type pages struct {
	o     Options
	words words
}

// New returns the handler of all pages. Its error is a mistake in the embedded
// catalogue or templates.
func New(o Options) (http.Handler, error) {
	p := &pages{o: o}
	if err := json.Unmarshal(wordsJSON, &p.words); err != nil {
		return nil, fmt.Errorf("words.json: %w", err)
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for i := range table {
		show, err := p.page(&table[i])
		if err != nil {
			return nil, err
		}
		mux.HandleFunc("GET "+table[i].Path, show)
	}
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(files)))
	return secured(mux), nil
}

// secured sets the security headers of every page: only our own files, no inline
// scripts, no embedding in a frame.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src "+
			"'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}

// languageCookie keeps the reader's choice from page to page.
const languageCookie = "ledcast_lang"

// language returns the reader's language: the choice in the address, which the
// cookie keeps, then the cookie, then the browser's, then Vietnamese.
func language(w http.ResponseWriter, r *http.Request) string {
	known := func(l string) bool { return l == "vi" || l == "en" }
	if q := r.URL.Query().Get("lang"); known(q) {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: q, Path: "/", MaxAge: 365 * 24 * 3600,
			SameSite: http.SameSiteLaxMode, HttpOnly: true})
		return q
	}
	if c, err := r.Cookie(languageCookie); err == nil && known(c.Value) {
		return c.Value
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if base, _, _ := strings.Cut(tag, "-"); known(base) {
			return base
		}
	}
	return Languages[0]
}

// notes returns the warnings about the installation that every page shows.
func (p *pages) notes(lang string) []string {
	var notes []string
	say := func(key string) string { return p.words[key][lang] }
	if p.o.Insecure {
		notes = append(notes, say("note.insecure"))
	}
	if p.o.RootsHere() {
		notes = append(notes, say("note.roots"))
	}
	if end := p.o.KeysEnd(); end.Sub(p.o.Now()) < warnKeys {
		notes = append(notes, strings.ReplaceAll(say("note.keys_end"), "{date}", end.UTC().Format(time.DateOnly)))
	}
	return notes
}

// entry is a page's link in the navigation.
type entry struct {
	Path, Title         string
	Here                bool
	Department, Company string // roles whose navigation has it
}

func (p *pages) menu(lang string, here *page) []entry {
	join := func(roles []playlists.Role) string {
		var out []string
		for _, r := range roles {
			out = append(out, string(r))
		}
		return strings.Join(out, " ")
	}
	var out []entry
	for i := range table {
		if x := &table[i]; x.Menu {
			out = append(out, entry{strings.TrimSuffix(x.Path, "{$}"), p.words["nav."+x.File][lang], x == here,
				join(x.Department), join(x.Company)})
		}
	}
	return out
}

// view is the data of a template.
type view struct {
	Lang, Other, OtherURL string
	File, Title, Words    string
	Open                  bool
	Menu                  []entry
	Notes                 []string
}

// page returns the handler of one row of the table.
func (p *pages) page(x *page) (http.HandlerFunc, error) {
	byLang := map[string]*template.Template{}
	sent := map[string]string{}
	for _, lang := range Languages {
		t := template.New("layout.html").Option("missingkey=error").Funcs(
			template.FuncMap{"t": func(key string) (string, error) {
				text, ok := p.words[key][lang]
				if !ok {
					return "", fmt.Errorf("words.json has no %q in %s", key, lang)
				}
				return text, nil
			}})
		t, err := t.ParseFS(templates, "pages/layout.html", "pages/"+x.File+".html")
		if err != nil {
			return nil, err
		}
		byLang[lang] = t
		if sent[lang], err = p.words.of(lang, x.Words); err != nil {
			return nil, err
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		lang := language(w, r)
		other := Languages[0]
		if lang == other {
			other = Languages[1]
		}
		// The same page in the other language: path and query stay, a link's code too.
		q := r.URL.Query()
		q.Set("lang", other)
		there := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: q.Encode()}
		var out bytes.Buffer
		err := byLang[lang].Execute(&out, view{Lang: lang, Other: other, OtherURL: there.RequestURI(), File: x.File,
			Title: p.words[x.File+".title"][lang],
			Words: sent[lang], Open: x.Open, Menu: p.menu(lang, x), Notes: p.notes(lang)})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(out.Bytes())
	}, nil
}
