package api

import (
	"context"
	"net/http"

	"ledcast/playlists"
)

// Clock is whether the controller believes its own clock.
type Clock interface {
	State() ClockState
	// Accept takes the word of who asks that the clock is right.
	Accept(ctx context.Context, who *playlists.Principal) (ClockState, error)
}

// ClockState is what the controller thinks of its clock.
type ClockState struct {
	AtMS    int64 `json:"at_ms" jsonschema_description:"what the controller's clock says, Unix milliseconds"`
	InDoubt bool  `json:"in_doubt" jsonschema_description:"nothing new is issued, but cancels"`
	Waits   bool  `json:"waits" jsonschema_description:"a start issues nothing before signs have spoken, for half a minute at most"`
	// Confirmed is no promise: without it nothing speaks against the clock, either.
	Confirmed bool            `json:"confirmed" jsonschema_description:"NTP, most signs or a person stand for the clock"`
	Why       *playlists.Text `json:"why,omitempty" jsonschema_description:"why it is in doubt, or waits"`
}

func (s *Server) clockRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/api/v1/clock",
			Summary: "Whether the controller believes its own clock, and why not (department)",
			Handler: s.clockGet, Out: ClockState{}},
		{Method: "POST", Path: "/api/v1/clock/accept",
			Summary: "Say that the controller's clock is right (department's administrators and authors)",
			Handler: s.clockAccept, Out: ClockState{}},
	}
}

func (s *Server) clockGet(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "clock", mayRead) != nil {
		answer(w, s.clock.State())
	}
}

func (s *Server) clockAccept(w http.ResponseWriter, r *http.Request) {
	if p := s.officer(w, r, "clock", mayWrite); p != nil {
		state, err := s.clock.Accept(r.Context(), p)
		reply(s, w, r, state, err)
	}
}
