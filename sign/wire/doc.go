// Package wire has the messages between signs and the controller: topics, signed documents, statuses and acks. It is
// the Go form of docs/protocol.md.
//
// A signed document is a compact JWS with exactly one allowed header:
//
//	{"alg":"Ed25519","kid":"<16 hex digits>","typ":"ledcast-program"}
//
// [Seal] makes one. A sign trusts two root keys from its enrolment. A root signs the key set, which [OpenKeys]
// checks. The key set names the keys that may sign programs, alerts and requests: [OpenProgram], [OpenAlerts] and
// [OpenRequest] make their checks in the order of [Reason]. A sign shows nothing of a document that does not pass all
// of them. A [Receiver] tells the checks who the sign is and what it accepted so far; package accept keeps that for a
// whole sign.
//
// A sign proves what it showed with records that it signs itself: [OpenPlayed] checks one, [Played.LinkTo] its place in
// the chain.
//
// The package imports the standard library and playlists/timeline only. Makers of signs import it, or copy its
// behaviour and check theirs with docs/vectors.
package wire
