package playlists

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// TextKey names what is wrong, in words joined by hyphens: "area-unknown". Programs
// decide by it, so a key never changes its meaning. The texts of each key are in
// texts/en.json and texts/vi.json; in them, %[2]d is the second argument, and
// title and remedy share the arguments.
//
// golang.org/x/text/message is not used: it groups digits ("1,048,576", in
// Vietnamese "1.048.576"), but our texts quote numbers as people must type them.
type TextKey string

// Phrase is a text in two languages that stands in another one.
type Phrase struct {
	Key  TextKey
	Args []any
}

// Word is a term that texts/terms.vi.json translates, alone or in front of a
// name: "playlist", "playlist tet". Another string stays as it is.
type Word string

// Reason is the text of an error in one language.
type Reason struct {
	Title  string `json:"title"`            // what is wrong
	Remedy string `json:"remedy,omitempty"` // what to do
	Field  string `json:"field,omitempty"`  // what people call the field; "" for English, and where there is no such name
}

//go:embed texts/*.json
var textFiles embed.FS

// catalogue is the texts of one language.
type catalogue struct {
	texts         map[TextKey]Reason
	words, fields map[string]string // nil for English
}

var english = sync.OnceValue(func() *catalogue {
	c := &catalogue{}
	mustRead("texts/en.json", &c.texts)
	return c
})

var vietnamese = sync.OnceValue(func() *catalogue {
	c := &catalogue{}
	mustRead("texts/vi.json", &c.texts)
	var terms struct{ Words, Fields map[string]string }
	mustRead("texts/terms.vi.json", &terms)
	c.words, c.fields = terms.Words, terms.Fields
	return c
})

// mustRead panics on a file that is not JSON: it is embedded, and tests read it.
func mustRead(name string, to any) {
	data, err := textFiles.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		panic(name + ": " + err.Error())
	}
}

// English returns the texts of e in English.
func (e *Error) English() Reason {
	return english().reason(e)
}

// Vietnamese returns the texts of e in Vietnamese. The text of an error of
// another program or library stays in English.
func (e *Error) Vietnamese() Reason {
	r := vietnamese().reason(e)
	name := e.Field[strings.LastIndexAny(e.Field, "./")+1:]
	name, _, _ = strings.Cut(name, "[")
	r.Field = vietnamese().fields[name]
	return r
}

func (c *catalogue) reason(e *Error) Reason {
	r := c.phrase(e.Key, e.Args)
	for _, p := range e.Places {
		r.Title += " (" + c.phrase(p.Key, p.Args).Title + ")"
	}
	return r
}

func (c *catalogue) phrase(key TextKey, args []any) Reason {
	t, ok := c.texts[key]
	if !ok {
		return Reason{Title: string(key)}
	}
	return Reason{Title: c.format(t.Title, args), Remedy: c.format(t.Remedy, args)}
}

// gap is where a text takes an argument: %[1]s, %[2].1f. %% is a percent sign.
var gap = regexp.MustCompile(`%(?:%|\[(\d+)\]((?:\.\d+)?[dsqvf]))`)

// format fills the gaps of a text. It is not fmt.Sprintf, which appends the
// arguments that a text does not take: those of a title are not in the remedy.
func (c *catalogue) format(text string, args []any) string {
	return gap.ReplaceAllStringFunc(text, func(g string) string {
		if g == "%%" {
			return "%"
		}
		m := gap.FindStringSubmatch(g)
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 || n > len(args) {
			return g
		}
		s := fmt.Sprintf("%"+m[2], c.argument(args[n-1]))
		if _, ok := args[n-1].(float64); ok && c.words != nil {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	})
}

// argument returns the argument in the language of c.
func (c *catalogue) argument(a any) any {
	switch a := a.(type) {
	case Text:
		if c.words != nil {
			return a.VI
		}
		return a.EN
	case Phrase:
		return c.phrase(a.Key, a.Args).Title
	case []Phrase:
		var all []string
		for _, x := range a {
			all = append(all, c.phrase(x.Key, x.Args).Title)
		}
		return strings.Join(all, ", ")
	case Word:
		return c.word(string(a))
	case error:
		if known := (*Error)(nil); errors.As(a, &known) {
			return c.reason(known).Title
		}
		return c.word(a.Error())
	}
	return a
}

func (c *catalogue) word(s string) string {
	if t, ok := c.words[s]; ok {
		return t
	}
	if t, ok := c.words[strings.ToLower(s)]; ok {
		return t
	}
	if first, rest, ok := strings.Cut(s, " "); ok && c.words[first] != "" {
		return c.words[first] + " " + rest
	}
	return s
}
