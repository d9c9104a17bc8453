// Package render turns a message into the frames that a sign of one class shows,
// each with the time that it takes to read.
//
// A message passes these steps: clean its text (text.go); find fonts that have all
// of its letters (fonts.go); break lines where sense allows (wrap.go); find the
// largest safe size that needs no more pages than the smallest comfortable one
// (fit.go); compose pages (layout.go); draw them onto a canvas of palette indexes
// (canvas.go); encode PNG in the profile of docs/protocol.md (png.go). Findings report
// compromises.
//
// gg draws the shapes. Letters do not go through gg: its text path costs most
// of a card's time and, through freetype's hinting, spoils stacked Vietnamese
// letters; they are rasterised once by golang.org/x/image and kept.
//
// Nothing here knows SQL, HTTP, MQTT, a clock or a disk. Given the same
// message, class and options the same bytes come out.
package render
