package render

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"ledcast/playlists"
)

// clean returns the text as it will be drawn: NFC, one kind of line end, no white
// space at the ends of lines. It rejects letters that no font has, emoji and control
// characters with an *playlists.Error that names the field and the character.
func (f *fonts) clean(field, s string) (string, error) {
	refuse := func(r rune, key playlists.TextKey, args ...any) (string, error) {
		return "", &playlists.Error{Code: playlists.Invalid, Field: field, Value: show(r),
			Key: key, Args: args}
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = norm.NFC.String(s)
	for i, r := range s {
		switch {
		case r == '\n' || r == ' ' || r == nbsp:
		case r == unicode.ReplacementChar:
			return refuse(r, "text-damaged", i)
		case isEmoji(r):
			return refuse(r, "emoji")
		case unicode.Is(unicode.Cf, r):
			return refuse(r, "invisible-character")
		case unicode.IsControl(r):
			return refuse(r, "control-character")
		case unicode.Is(unicode.M, r):
			return refuse(r, "combining-mark")
		case !f.anyHas(r):
			return refuse(r, "letter-without-glyph")
		}
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.FieldsFunc(lines[i], func(r rune) bool { return r == ' ' }), " ")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n "), nil
}

const nbsp = '\u00a0'

func (f *fonts) anyHas(r rune) bool {
	if r >= maxRune {
		return false
	}
	for _, fam := range f.all {
		if fam.id[r] != 0 {
			return true
		}
	}
	return false
}

// isEmoji reports the pictographs that phones insert into text. The few that are
// also plain typographic marks (arrows, ★, ☎) count as letters if a font has them.
func isEmoji(r rune) bool {
	switch {
	case r >= 0x1f000 && r <= 0x1faff, r >= 0xfe00 && r <= 0xfe0f, r == 0x20e3, r >= 0xe0020 && r <= 0xe007f:
		return true
	case r >= 0x2600 && r <= 0x27bf:
		return !strings.ContainsRune("★☆☎✓✔", r)
	}
	return false
}

// show names a character in an error, also an invisible one.
func show(r rune) string {
	if unicode.IsPrint(r) && !unicode.Is(unicode.M, r) {
		return fmt.Sprintf("%c (%U)", r, r)
	}
	return fmt.Sprintf("%U", r)
}
