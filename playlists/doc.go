// Package playlists is the domain of ledcast: who owns signs, what a sign's
// face is, what a message says, and how an owner's wishes become a program
// that a sign plays by itself.
//
// Everything that crosses a boundary between packages is declared here as a
// plain type with its limits and its Validate. Nothing here does I/O and
// nothing reads a clock: a time is always an argument.
package playlists
