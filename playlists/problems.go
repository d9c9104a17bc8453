package playlists

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// problems.vi.json is the Vietnamese of what errors say. The English stays
// where the error is made; the catalogue maps it, as a format of fmt, to a
// Vietnamese one, and a test holds the two together. In a Vietnamese format,
// %t is a gap whose words are in the catalogue too, and %[2]s is the second gap.
//
//go:embed problems.vi.json
var problemsVI []byte

// matched finds the Vietnamese by the English.
func (e *Error) matched() Reason {
	c := catalogueVI()
	name := e.Field[strings.LastIndexAny(e.Field, "./")+1:]
	name, _, _ = strings.Cut(name, "[")
	return Reason{c.say(e.Problem, e.Parts), c.say(e.Remedy, e.Parts), c.fields[name]}
}

// verb is a gap in a format.
var verb = regexp.MustCompile(`%(?:\[(\d)\])?(?:\.\d)?([a-z%])`)

// saying is one text of the catalogue.
type saying struct {
	is      *regexp.Regexp // nil: a text without gaps
	english string
	vi      string
	letters int // of the English that are no gap
}

type matcher struct {
	exact, words map[string]string
	fields       map[string]string
	texts        []saying // with gaps, the longest first
	endings      []saying // likewise: " (on sign …)", behind any text
	phrases      []saying // what stands in gaps, with gaps of its own
}

var catalogueVI = sync.OnceValue(func() *matcher {
	var file struct{ Texts, Words, Fields map[string]string }
	if err := json.Unmarshal(problemsVI, &file); err != nil {
		panic("problems.vi.json: " + err.Error()) // it is embedded, and a test reads it
	}
	c := &matcher{exact: map[string]string{}, words: map[string]string{}, fields: file.Fields}
	for en, vi := range file.Texts {
		e := newSaying(en, vi)
		switch {
		case strings.HasPrefix(en, " ("):
			c.endings = append(c.endings, e)
		case e.is == nil:
			c.exact[e.english] = fill(vi, nil, nil)
		default:
			c.texts = append(c.texts, e)
		}
	}
	for en, vi := range file.Words {
		if e := newSaying(en, vi); e.is == nil {
			c.words[en] = vi
		} else {
			c.phrases = append(c.phrases, e)
		}
	}
	for _, list := range [][]saying{c.texts, c.endings, c.phrases} {
		slices.SortFunc(list, func(a, b saying) int {
			if a.letters != b.letters {
				return b.letters - a.letters
			}
			return strings.Compare(a.english, b.english)
		})
	}
	return c
})

func newSaying(english, vi string) saying {
	e := saying{english: english, vi: vi}
	ending := strings.HasPrefix(english, " (")
	gaps := 0
	var is strings.Builder
	is.WriteString(`(?s)^`)
	if ending {
		is.WriteString(`(.*?)`) // the text before
	}
	at := 0
	places := verb.FindAllStringSubmatchIndex(english, -1)
	for i, m := range places {
		is.WriteString(regexp.QuoteMeta(english[at:m[0]]))
		e.letters += m[0] - at
		at = m[1]
		switch english[m[4]] {
		case '%':
			is.WriteString("%")
			continue
		case 'd':
			is.WriteString(`(-?\d+)`)
		case 'f':
			is.WriteString(`(-?\d+\.\d+)`)
		case 'q':
			is.WriteString(`("(?:[^"\\]|\\.)*")`)
		default:
			switch {
			case !ending:
				is.WriteString(`(.*?)`)
			case i < len(places)-1:
				is.WriteString(`([^() ]*)`) // a name
			default:
				is.WriteString(`([^()]*)`)
			}
		}
		gaps++
	}
	is.WriteString(regexp.QuoteMeta(english[at:]) + `$`)
	e.letters += len(english) - at
	if gaps > 0 || ending {
		e.is = regexp.MustCompile(is.String())
	} else {
		e.english = strings.ReplaceAll(english, "%%", "%")
	}
	return e
}

// fill writes what was in the gaps of the English into the Vietnamese format.
func fill(format string, gaps []string, translate func(string) string) string {
	next := 0
	return verb.ReplaceAllStringFunc(format, func(v string) string {
		m := verb.FindStringSubmatch(v)
		if m[2] == "%" {
			return "%"
		}
		i := next
		if m[1] != "" {
			n, _ := strconv.Atoi(m[1]) // one digit
			i = n - 1
		}
		next = i + 1
		if i < 0 || i >= len(gaps) {
			return v
		}
		switch m[2] {
		case "t":
			return translate(gaps[i])
		case "f":
			return strings.Replace(gaps[i], ".", ",", 1)
		}
		return gaps[i]
	})
}

// say is the Vietnamese of a text, or the text itself.
func (c *matcher) say(text string, parts []Text) string {
	if vi, ok := c.find(text, parts); ok {
		return vi
	}
	return text
}

func (c *matcher) find(text string, parts []Text) (string, bool) {
	if vi, ok := c.exact[text]; ok {
		return vi, true
	}
	in := func(gap string) string { return c.part(gap, parts) }
	for _, e := range c.endings {
		if m := e.is.FindStringSubmatch(text); m != nil {
			if head, ok := c.find(m[1], parts); ok {
				return head + fill(e.vi, m[2:], in), true
			}
		}
	}
	for _, e := range c.texts {
		if m := e.is.FindStringSubmatch(text); m != nil {
			return fill(e.vi, m[1:], in), true
		}
	}
	return "", false
}

// part is the Vietnamese of what stands in a gap.
func (c *matcher) part(gap string, parts []Text) string {
	for _, p := range parts {
		if p.EN == gap {
			return p.VI
		}
	}
	for _, word := range []string{gap, strings.ToLower(gap)} {
		if vi, ok := c.words[word]; ok {
			return vi
		}
	}
	for _, e := range c.phrases {
		if m := e.is.FindStringSubmatch(gap); m != nil {
			return fill(e.vi, m[1:], func(s string) string { return s })
		}
	}
	return gap
}
