// Package render turns a message into what a sign of one class shows: frames,
// and how long each must stand to be read.
//
// The way of a message: its text is cleaned (text.go), its letters are looked
// up in fonts that have all of them (fonts.go), lines are broken where sense
// allows (wrap.go), the largest safe size is sought that needs no more pages
// than the smallest comfortable one (fit.go), pages are composed (layout.go),
// drawn onto a canvas of palette indexes (canvas.go), and written as PNG in
// the profile of PROTOCOL.md (png.go). What was hard is said in findings.
//
// gg draws the shapes. Letters do not go through gg: its text path costs most
// of a card's time and, through freetype's hinting, spoils stacked Vietnamese
// letters; they are rasterised once by golang.org/x/image and kept.
//
// Nothing here knows SQL, HTTP, MQTT, a clock or a disk. Given the same
// message, class and options the same bytes come out.
package render
