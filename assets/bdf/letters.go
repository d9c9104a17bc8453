package bdf

import "strings"

// SignLetters reports whether r is in the embedded subsets: ASCII, Latin-1, all Vietnamese letters, and the
// punctuation, arrows and symbols that notices use.
func SignLetters(r rune) bool {
	switch {
	case r >= 0x20 && r <= 0x7e, r >= 0xa0 && r <= 0xff && r != 0xad:
		return true
	case r >= 0x1ea0 && r <= 0x1ef9:
		return true
	}
	return strings.ContainsRune("ĂăĐđĨĩŨũƠơƯư–—‘’“”…•€→←↑↓↗↘▶►◀▲▼✓✔●○■★☎", r)
}
