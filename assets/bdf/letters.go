package bdf

import "strings"

// SignLetters is the set that the embedded subsets hold: ASCII, Latin-1, every
// Vietnamese letter, and the punctuation, arrows and marks that a notice uses.
func SignLetters(r rune) bool {
	switch {
	case r >= 0x20 && r <= 0x7e, r >= 0xa0 && r <= 0xff && r != 0xad:
		return true
	case r >= 0x1ea0 && r <= 0x1ef9:
		return true
	}
	return strings.ContainsRune("ĂăĐđĨĩŨũƠơƯư–—‘’“”…•€→←↑↓↗↘▶►◀▲▼✓✔●○■★☎", r)
}
