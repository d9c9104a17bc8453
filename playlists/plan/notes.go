package plan

import "ledcast/playlists/timeline"

// Notes is what is kept beside every program that is issued, so that a report
// or an answer about the past does not need today's signs and playlists.
type Notes struct {
	Owner   string            `json:"owner"`          // the sign's company
	Zone    string            `json:"zone,omitempty"` // its time zone; "" is DefaultZone
	Titles  map[string]string `json:"titles"`         // what people called each item, by owner/id
	Reasons *Reasons          `json:"reasons,omitempty"`
}

// InForce is a program that a sign had been given, from when it was issued
// until the next one was, or that it would be given.
type InForce struct {
	From, Until int64 // Unix seconds; Until is exclusive
	Program     *timeline.Program
	Notes       *Notes // never nil
}
