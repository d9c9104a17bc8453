package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reading times. NCHRP Report 600 (FACTS.md, Reading): a phase stands 1 s for
// each word of 4 to 8 letters. Vietnamese syllables are short and stand apart:
// 0.5 s each, our judgement. Never under 2 s a line, nor, so that a glance at
// the road is possible in between, under 2 s a page.
const (
	msWord     = 1000
	msSyllable = 500
	msLine     = 2000
	msQR       = 6000 // a code has to be aimed at
)

// readMS is how long one word takes to read, in ms.
func readMS(w, lang string) int64 {
	w = strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	n := utf8.RuneCountInString(w)
	if n == 0 {
		return 0
	}
	if strings.Trim(w, "0123456789.,:-/") == "" {
		return int64((n+1)/2) * msSyllable // read in pairs: nineteen hundred
	}
	if strings.HasPrefix(lang, "vi") && n <= 7 {
		return msSyllable // no Vietnamese syllable has more letters
	}
	if n <= 3 {
		return msSyllable // the, of, on
	}
	return int64((n+7)/8) * msWord
}

// pageMS is the reading time of a page of so many lines with these words.
func pageMS(lines int, words int64) int64 {
	return max(words, int64(lines)*msLine)
}
