// Package wire is what a sign and the controller say to each other: topics,
// documents, Seal and Open. It is the Go form of docs/protocol.md.
//
// A signed document is a compact JWS with exactly one allowed header:
//
//	{"alg":"Ed25519","kid":"<16 hex digits>","typ":"ledcast-program"}
//
// A sign trusts two root keys from its enrolment. A root signs the key set;
// the key set names the keys that may sign programs, alerts and requests; a
// document must pass every check of Open, in the order of Reason, before
// anything of it is shown. Whatever a sign cannot check it does not show.
//
// The package imports the standard library and playlists/timeline only. Makers
// of signs import it, or copy its behaviour.
package wire
