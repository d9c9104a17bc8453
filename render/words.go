package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// after says how good a line end is after a word.
type after uint8

const (
	afterGlued  after = iota // never: a no-break space follows
	afterInside              // inside a word of several syllables, or a name
	afterSpace               // between words
	afterClause              // after – : , ;
	afterStop                // after . ! ?
	afterHard                // the writer ended the line
)

// word is what stands between two places where a line may end, or a no-break
// space.
type word struct {
	s      string
	after  after
	spaced bool // a space follows if the line goes on
	short  bool // one syllable: alone on a line it is an orphan
	ms     int64
}

// split cuts clean text into words. lang decides how long each takes to read.
func split(s, lang string) []word {
	var out []word
	for li, line := range strings.Split(s, "\n") {
		if li > 0 && len(out) > 0 {
			out[len(out)-1].after = afterHard
		}
		for _, spaced := range strings.Split(line, " ") {
			if spaced == "" {
				continue
			}
			glued := strings.Split(spaced, string(nbsp))
			for i, g := range glued {
				if g == "" {
					continue
				}
				pieces := cutAddress(g)
				for j, p := range pieces {
					w := word{s: p, spaced: j == len(pieces)-1, ms: readMS(p, lang)}
					switch {
					case j < len(pieces)-1:
						w.after = afterInside
					case i < len(glued)-1:
						w.after = afterGlued
					default:
						w.after = sense(p)
					}
					w.short = len(pieces) == 1 && utf8.RuneCountInString(strings.TrimFunc(p, unicode.IsPunct)) <= 7
					out = append(out, w)
				}
			}
		}
	}
	gluePunctuation(out)
	glueCompounds(out)
	glueList(out)
	return out
}

// sense is how good a line end is after a word that a space follows.
func sense(w string) after {
	r, _ := utf8.DecodeLastRuneInString(w)
	switch r {
	case '–', '—', ':', ',', ';', ')', '-':
		return afterClause
	case '.', '!', '?', '…':
		return afterStop
	}
	return afterSpace
}

// cutAddress cuts a web address or a long path where a line may end: before a
// dot, after a slash. Anything else stays whole.
func cutAddress(s string) []string {
	if utf8.RuneCountInString(s) < 12 || !strings.ContainsAny(s, "./") {
		return []string{s}
	}
	var out []string
	start := 0
	for i, r := range s {
		last := len(s) - 1
		switch {
		case r == '.' && i > start && i < last && i > 0 && isLetter(s[:i], true) && isLetter(s[i+1:], false):
			if i-start >= 4 { // "www" stays with its dot and what follows
				out, start = append(out, s[start:i]), i
			}
		case r == '/' && i > start && i < last && s[i+1] != '/':
			out, start = append(out, s[start:i+1]), i+1
		}
	}
	return append(out, s[start:])
}

// isLetter reports whether the last (or first) character of s is a letter.
func isLetter(s string, last bool) bool {
	r, _ := utf8.DecodeRuneInString(s)
	if last {
		r, _ = utf8.DecodeLastRuneInString(s)
	}
	return unicode.IsLetter(r)
}

// gluePunctuation keeps a mark that stands alone ("–", "&") on the line of
// the word before it, and a number with its next part ("1900 9095").
func gluePunctuation(ws []word) {
	for i := 0; i+1 < len(ws); i++ {
		a, b := &ws[i], ws[i+1]
		if a.after == afterHard {
			continue
		}
		alone := strings.TrimFunc(b.s, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }) == ""
		if alone || digits(a.s) && digits(b.s) {
			a.after = afterGlued
		}
	}
}

func digits(s string) bool {
	return strings.TrimFunc(s, func(r rune) bool { return r >= '0' && r <= '9' }) == "" && s != ""
}

// glueList keeps the parts of a list whole: "Khẩu trang – Khử khuẩn – Khoảng
// cách" breaks after its dashes. A list has at least two marks and parts of at
// most four words.
func glueList(ws []word) {
	start, marks := 0, 0
	for i, w := range ws {
		last := i == len(ws)-1
		if w.after == afterClause || w.after == afterHard || last {
			if i-start >= 5 {
				return // not a list: a sentence
			}
			if w.after == afterClause {
				marks++
			}
			start = i + 1
		}
	}
	if marks < 2 {
		return
	}
	for i := range ws {
		if ws[i].after == afterSpace {
			ws[i].after = afterInside
		}
	}
}

// compounds are Vietnamese words of several syllables that notices use: a line
// that ends inside one is read twice.
var compounds = func() map[string][][]string {
	m := map[string][][]string{}
	for _, c := range strings.Split(`khẩu trang|khử khuẩn|khoảng cách|tụ tập|khai báo|khai báo y tế|y tế|bộ y tế|
sở y tế|cài đặt|ứng dụng|điện thoại|tiếp xúc|công cộng|đông người|đường dây|đường dây nóng|thông báo|thông tin|
truyền thông|sức khỏe|sức khoẻ|nguy cơ|lây nhiễm|người nhiễm|phòng chống|phòng dịch|phòng bệnh|chống dịch|
dịch bệnh|cơ quan|văn phòng|cán bộ|người dân|khách đến|bảo vệ|cộng đồng|gia đình|việt nam|quảng ngãi|sơn tịnh|
hà nội|đà nẵng|hồ chí minh|covid 19|rửa tay|xà phòng|bề mặt|vật dụng|hạn chế|giữ khoảng cách|thường xuyên|
cảnh báo|nghi nhiễm|cách ly|tự cách ly|hướng dẫn|thực hiện|vui lòng|tối thiểu|không tụ tập|không tập trung|
chính quyền|địa phương|nhà nước|giao thông|an toàn|nguy hiểm|mưa lớn|lũ lụt|sạt lở|bão số|di dời|sơ tán|khẩn cấp|
bệnh viện|trạm y tế`, "|") {
		f := strings.Fields(c)
		m[f[0]] = append(m[f[0]], f)
	}
	return m
}()

func glueCompounds(ws []word) {
	low := make([]string, len(ws))
	for i, w := range ws {
		low[i] = strings.ToLower(strings.TrimFunc(w.s, unicode.IsPunct))
	}
	for i := range ws {
		for _, c := range compounds[low[i]] {
			if len(c) > len(ws)-i {
				continue
			}
			ok := true
			for k, s := range c {
				ok = ok && low[i+k] == s && (k == len(c)-1 || ws[i+k].after == afterSpace ||
					ws[i+k].after == afterInside)
			}
			for k := 0; ok && k < len(c)-1; k++ {
				ws[i+k].after = afterInside
			}
		}
	}
}
