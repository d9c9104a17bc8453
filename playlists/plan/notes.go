package plan

import "ledcast/playlists/timeline"

// Notes is stored with every issued program, so that reports about the past do
// not depend on the current signs and playlists.
type Notes struct {
	Owner   string            `json:"owner"`          // the sign's company
	Zone    string            `json:"zone,omitempty"` // its time zone; "" is DefaultZone
	Titles  map[string]string `json:"titles"`         // title of each item, by owner/id
	Reasons *Reasons          `json:"reasons,omitempty"`
}

// InForce is a program of a sign with the time from its issue to the next one's,
// or a program that the sign would get in the future.
type InForce struct {
	From, Until int64 // Unix seconds; Until is exclusive
	Program     *timeline.Program
	Notes       *Notes // never nil
}
