package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func handler(t *testing.T, o Options) http.Handler {
	t.Helper()
	now := func() time.Time { return time.Date(2021, 1, 30, 12, 0, 0, 0, time.UTC) }
	o.Now = now
	if o.RootsHere == nil {
		o.RootsHere = func() bool { return false }
	}
	if o.KeysEnd == nil {
		o.KeysEnd = func() time.Time { return now().AddDate(1, 0, 0) }
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func answer(t *testing.T, h http.Handler, target, cookie string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", target, nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: languageCookie, Value: cookie})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every page executes in both languages, keeps path and query in its language
// link, and lets no browser load anything else.
func TestPages(t *testing.T) {
	h := handler(t, Options{Insecure: true, RootsHere: func() bool { return true }})
	for i := range table {
		x := &table[i]
		for _, lang := range Languages {
			r := answer(t, h, Addresses("qn-001")[x.File]+"?code=abc&lang="+lang, "")
			body := text(t, r)
			if r.StatusCode != 200 {
				t.Errorf("%s in %s: %d", x.Path, lang, r.StatusCode)
			}
			csp := r.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'; script-src 'self'; style-src 'self'") ||
				strings.Contains(csp, "unsafe") {
				t.Errorf("%s: policy %q", x.Path, csp)
			}
			for _, want := range []string{`<html lang="` + lang + `">`, "code=abc", `src="/static/` + x.File + `.js"`, "<h1"} {
				if !strings.Contains(body, want) {
					t.Errorf("%s in %s lacks %s", x.Path, lang, want)
				}
			}
			if strings.Contains(body, "<no value>") || strings.Contains(body, "ZgotmplZ") {
				t.Errorf("%s in %s has a hole", x.Path, lang)
			}
		}
	}
	for _, x := range []struct{ query, cookie, accept, want string }{{"", "", "", "vi"}, {"", "en", "", "en"},
		{"?lang=vi", "en", "", "vi"}, {"?lang=xx", "", "", "vi"}} {
		if body := text(t, answer(t, h, "/"+x.query, x.cookie)); !strings.Contains(body, `<html lang="`+x.want+`">`) {
			t.Errorf("%+v: not in %s", x, x.want)
		}
	}
}

// sources are our templates, modules and style sheets by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, from := range []fs.FS{templates, static} {
		if err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := fs.ReadFile(from, name)
			out[name] = string(data)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var forbidden = []struct {
	what string
	in   string // extension; "" is all
	is   *regexp.Regexp
}{
	{"an inline script", ".html", regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<script(?:[^s>]|s[^r])*>`)},
	{"an inline style", ".html", regexp.MustCompile(`(?i)<style|\sstyle\s*=`)},
	{"an inline handler", ".html", regexp.MustCompile(`(?i)\son[a-z]+\s*=`)},
	{"a style attribute", ".js", regexp.MustCompile(`setAttribute\('style'|cssText|\bstyle:\s`)},
	{"code made of text", ".js",
		regexp.MustCompile(`\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write`)},
	{"another host", "", regexp.MustCompile(`(?i)(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z]`)},
	{"an import from elsewhere", ".js", regexp.MustCompile(`from '[^.]`)},
}

// Nothing that the policy forbids, and nothing of another host, stands in what
// we send.
func TestNothingInlineOrForeign(t *testing.T) {
	for name, text := range sources(t) {
		text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "") // a name, not an address
		for _, f := range forbidden {
			if found := f.is.FindString(text); found != "" && (f.in == "" || f.in == path.Ext(name)) {
				t.Errorf("%s has %s: %s", name, f.what, found)
			}
		}
	}
}

var (
	saidInTemplate = regexp.MustCompile(`\{\{t "([^"]+)"\}\}`)
	imported       = regexp.MustCompile(`(?:from|import) '\./([\w-]+\.js)'`)
)

// graph is a module and all that it imports.
func graph(files map[string]string, module string, seen map[string]bool) {
	if seen[module] {
		return
	}
	seen[module] = true
	for _, m := range imported.FindAllStringSubmatch(files["static/"+module], -1) {
		graph(files, m[1], seen)
	}
}

// Every word is in both languages with the same places, every key that is used
// is there and reaches its page, and no word is there for nothing.
func TestWords(t *testing.T) {
	var all words
	if err := json.Unmarshal(wordsJSON, &all); err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`\{\w+\}`)
	groups := map[string]bool{}
	for key, texts := range all {
		groups[strings.SplitN(key, ".", 2)[0]] = true
		if len(texts) != len(Languages) {
			t.Errorf("%s has %d languages", key, len(texts))
		}
		var places []string
		for i, lang := range Languages {
			if strings.TrimSpace(texts[lang]) == "" {
				t.Errorf("%s is missing in %s", key, lang)
			}
			p := place.FindAllString(texts[lang], -1)
			slices.Sort(p)
			if i > 0 && !slices.Equal(p, places) {
				t.Errorf("%s has other places in %s: %v and %v", key, lang, p, places)
			}
			places = p
		}
	}
	var names []string
	for g := range groups {
		names = append(names, g)
	}
	// A key stands in quotes, or its beginning in a template literal.
	group := `(?:` + strings.Join(names, "|") + `)`
	whole := regexp.MustCompile("['`](" + group + `\.[\w-]+)['` + "`]")
	begun := regexp.MustCompile("`(" + group + `\.[\w-]*)\$\{`)
	inGo := regexp.MustCompile(`say\("([^"]+)"\)`)

	used := map[string]bool{}
	files := sources(t)
	for i := range table {
		x := &table[i]
		if len(x.Words) == 0 {
			t.Errorf("%s has no words", x.Path)
		}
		used[x.File+".title"] = true
		if x.Menu {
			used["nav."+x.File] = true
		}
		modules := map[string]bool{}
		graph(files, x.File+".js", modules)
		prefixes := append([]string{"c.", "nav."}, x.Words...)
		reaches := func(key string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		}
		for m := range modules {
			js, ok := files["static/"+m]
			if !ok {
				t.Errorf("%s imports %s, which is not there", x.Path, m)
			}
			for _, k := range whole.FindAllStringSubmatch(js, -1) {
				if used[k[1]] = true; !reaches(k[1]) {
					t.Errorf("%s: %s uses %s, which the page does not send", x.Path, m, k[1])
				}
			}
			for _, k := range begun.FindAllStringSubmatch(js, -1) {
				some := false
				for key := range all {
					if strings.HasPrefix(key, k[1]) {
						used[key], some = true, true
					}
				}
				if !some || !reaches(k[1]) {
					t.Errorf("%s: %s uses %s…, which is not there or not sent", x.Path, m, k[1])
				}
			}
		}
	}
	for name, text := range files {
		for _, k := range saidInTemplate.FindAllStringSubmatch(text, -1) {
			used[k[1]] = true
			if path.Ext(name) != ".html" {
				t.Errorf("%s has a template's word", name)
			}
		}
	}
	source, err := os.ReadFile("web.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range inGo.FindAllStringSubmatch(string(source), -1) {
		used[k[1]] = true
	}
	text, err := os.ReadFile("words.json")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for _, k := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(text), -1) {
		if lines[k[1]] {
			t.Errorf("words.json has %s twice", k[1])
		}
		lines[k[1]] = true
	}
	for key := range used {
		if all[key] == nil {
			t.Errorf("words.json has no %s", key)
		}
	}
	for key := range all {
		if !used[key] {
			t.Errorf("words.json has %s, which nothing uses", key)
		}
	}
}
