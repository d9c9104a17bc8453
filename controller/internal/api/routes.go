package api

import (
	"net/http"
	"slices"

	"ledcast/controller/internal/auth"
)

// Route is one row of the route table. The OpenAPI document is made of it.
type Route struct {
	Method, Path string
	Summary      string
	Handler      http.HandlerFunc
	In           any // a value of the JSON body's type; nil: none
	Out          any // a value of the answer's type, or anyOf such values; nil: none
	Query        []Param
	Type         string // of an answer that is not JSON, e.g. "image/png"
	Takes        string // of a body that is not JSON, e.g. "image/*"
	Open         bool   // needs no credentials
	Nothing      string // what 204 means, for an answer that may be empty
}

// Param is a parameter of a query.
type Param struct {
	Name   string
	Type   string   // of JSON Schema: "string" or "integer"
	Format string   // of JSON Schema, e.g. "date-time"
	Enum   []string // the only values; nil: any
	Least  int64    // of an integer
	Most   int64    // of an integer; 0: no limit
	Needed bool     // the request fails without it
	About  string   // what it means, and what holds without it
}

// list is the answer of a route that lists things.
type list[T any] struct {
	Items []T `json:"items"`
}

// listOf is a list of things of item's type, for a type that only a table knows.
type listOf struct{ item any }

// anyOf is the answer of a route that has several shapes.
type anyOf []any

// The parameters that several routes take.
var (
	rangeFrom = Param{Name: "from", Type: "string", About: "a date, or a time in RFC 3339"}
	rangeTo   = Param{Name: "to", Type: "string",
		About: "a date, which is included, or a time in RFC 3339; now without it"}

	// overridable lets through a text that cannot be read from the distance of
	// the sign's viewers.
	overridable = []Param{
		{Name: "override", Type: "string", Enum: []string{"distance"}, About: "the rule that is set aside; needs reason"},
		{Name: "reason", Type: "string", About: "why, in 4 to 200 characters; it is kept in the log"},
	}
)

// Routes is the one route table.
func (s *Server) Routes() []Route {
	first := []Route{
		{Method: "GET", Path: "/healthz", Summary: "Whether the process answers", Handler: s.healthz, Type: "text/plain",
			Open: true},
		{Method: "GET", Path: "/readyz",
			Summary: "Whether files are written, the clock is certain, and the broker holds what every sign should have",
			Handler: s.readyz, Type: "text/plain", Open: true},
		{Method: "GET", Path: "/api/v1/openapi.json", Summary: "This document", Handler: s.openAPI, Out: document{},
			Open: true},
	}
	return slices.Concat(first, s.signRoutes(), s.mediaRoutes(), s.peopleRoutes(), s.reportRoutes(), s.alertRoutes(),
		s.capRoutes(), s.clockRoutes(), s.objectRoutes())
}

// signRoutes are the routes of signs and their events.
func (s *Server) signRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/api/v1/signs", Summary: "Every sign that one may see, as it is now", Handler: s.signs,
			Out: signViews{}},
		{Method: "GET", Path: "/api/v1/signs/{id}", Summary: "A sign as it is now", Handler: s.sign, Out: SignView{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/at", Summary: "What a sign shows at a time, and why", Handler: s.signAt,
			Out:   signAt{},
			Query: []Param{{Name: "time", Type: "string", Format: "date-time", About: "now without it"}}},
		{Method: "GET", Path: "/api/v1/signs/{id}/day",
			Summary: "A sign's day: which rule shows when, and which ones do not, and why", Handler: s.signDay, Out: signDay{},
			Query: []Param{{Name: "date", Type: "string", Format: "date", About: "today without it"}}},
		{Method: "GET", Path: "/api/v1/signs/{id}/health",
			Summary: "How a sign was, as the controller saw it: online, clock, faults, as spans and by day; " +
				"the last 7 days without a range",
			Handler: s.signHealth, Out: HealthHistory{}, Query: []Param{rangeFrom, rangeTo}},
		{Method: "GET", Path: "/api/v1/signs/{id}/face.png", Summary: "The frame that a sign shows now", Handler: s.facePNG,
			Type: "image/png"},
		{Method: "GET", Path: "/api/v1/signs/{id}/frames/{sha}", Summary: "A frame of the sign's program", Handler: s.frame,
			Type: "image/*"},
		{Method: "GET", Path: "/api/v1/signs/{id}/snapshot.png",
			Summary: "What was on the sign's output when it was asked last", Handler: s.snapshotPNG, Type: "image/png"},
		{Method: "POST", Path: "/api/v1/signs/review",
			Summary: "Count new signs for urgent messages, or exclude signs (department)", Handler: s.review, In: SignReview{},
			Out: SignReview{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/pending",
			Summary: "A change of areas, test or mode that waits for the department", Handler: s.pending, Out: Pending{},
			Nothing: "no change waits"},
		{Method: "POST", Path: "/api/v1/signs/{id}/pending/approve",
			Summary: "Let a waiting change take effect (department)", Handler: s.decide(true), Out: Pending{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/pending/refuse",
			Summary: "Drop a waiting change (department, or the company itself)", Handler: s.decide(false), Out: Pending{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/credentials",
			Summary: "Give a sign a new password; the answer is its config file, once", Handler: s.enrolFile,
			Type: "application/json"},
		{Method: "DELETE", Path: "/api/v1/signs/{id}/credentials",
			Summary: "Revoke a sign's password and close its connection", Handler: s.revokeSign},
		{Method: "POST", Path: "/api/v1/signs/{id}/code",
			Summary: "Make a one-time code with which the sign fetches its config file", Handler: s.enrolCode, Out: enrolCode{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/key/confirm",
			Summary: "Accept that the sign proves its plays with another key", Handler: s.confirmKey},
		{Method: "POST", Path: "/api/v1/enrol", Summary: "Trade a one-time code for a sign's config file", Handler: s.enrol,
			In: enrolCode{}, Type: "application/json", Open: true},
		{Method: "GET", Path: "/api/v1/events",
			Summary: "Server-sent events: \"sign\" with a sign's view, and to the department \"alert\" with an alert's, " +
				"at once and at every change",
			Handler: s.events, Type: "text/event-stream",
			Query: []Param{{Name: "sign", Type: "string", About: "the id of the only sign whose events are sent"},
				{Name: "only", Type: "string", Enum: []string{"alerts"}, About: "sends no events of signs"}}},
	}
}

// mediaRoutes are the routes of previews and pictures.
func (s *Server) mediaRoutes() []Route {
	return []Route{
		{Method: "POST", Path: "/api/v1/owners/{owner}/preview",
			Summary: "How a message would look on some classes, and what speaks against it; nothing is kept",
			Handler: s.preview, In: previewIn{}, Out: previewOut{}},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media", Summary: "List an owner's pictures", Handler: s.mediaList,
			Out: list[Medium]{}},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}",
			Summary: "What is known of a picture, and which messages use it", Handler: s.mediaInfo, Out: Medium{}},
		{Method: "PUT", Path: "/api/v1/owners/{owner}/media/{id}", Summary: "Upload a picture: PNG, JPEG, GIF or WebP",
			Handler: s.mediaPut, Takes: "image/*", Out: Medium{}},
		{Method: "DELETE", Path: "/api/v1/owners/{owner}/media/{id}", Summary: "Delete a picture that no message uses",
			Handler: s.mediaRemove},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}/file", Summary: "The picture as it is kept",
			Handler: s.mediaFile, Type: "image/*"},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}/thumb.png", Summary: "The picture as it looks on a class",
			Handler: s.mediaThumb, Type: "image/png",
			Query: []Param{{Name: "class", Type: "string", Needed: true, About: "e.g. 128x64-rgb"}}},
	}
}

// peopleRoutes are the routes of people, sessions and tokens.
func (s *Server) peopleRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/api/v1/me", Summary: "Who asks", Handler: s.me, Out: Me{}},
		{Method: "POST", Path: "/api/v1/session", Summary: "Sign in with name and password; sets a cookie",
			Handler: s.signIn, In: credentials{}, Out: Me{}, Open: true},
		{Method: "POST", Path: "/api/v1/session/code", Summary: "Sign in with the code of a link, once; sets a cookie",
			Handler: s.redeem, In: linkCode{}, Out: Me{}, Open: true},
		{Method: "DELETE", Path: "/api/v1/session", Summary: "Sign out", Handler: s.signOut, Open: true},
		{Method: "PUT", Path: "/api/v1/me/password", Summary: "Set one's own password; ends all of one's sessions",
			Handler: s.ownPassword, In: newPassword{}},
		{Method: "POST", Path: "/api/v1/users/{id}/link",
			Summary: "Make a link that lets somebody in once, to set a password", Handler: s.userLink, Out: userLink{}},
		{Method: "GET", Path: "/api/v1/users/{id}/made",
			Summary: "What a person, who may be gone, has made that is still there: people, tokens, signs, templates, " +
				"running alerts",
			Handler: s.userMade, Out: list[Made]{}},
		{Method: "POST", Path: "/api/v1/users/{id}/vouch",
			Summary: "Stand for somebody whose way in is younger than 24 hours, and whom another let in", Handler: s.userVouch},
		{Method: "DELETE", Path: "/api/v1/users/{id}/sessions", Summary: "Sign somebody out everywhere", Handler: s.userOut},
		{Method: "GET", Path: "/api/v1/tokens", Summary: "List API tokens, without their secrets", Handler: s.tokens,
			Out: list[auth.Token]{}},
		{Method: "PUT", Path: "/api/v1/tokens/{id}",
			Summary: "Make or replace an API token; the answer holds its secret, once", Handler: s.tokenPut, In: auth.Token{},
			Out: madeToken{}},
		{Method: "DELETE", Path: "/api/v1/tokens/{id}", Summary: "Revoke an API token at once", Handler: s.tokenRemove},
	}
}

// reportRoutes are the routes of reports and the log.
func (s *Server) reportRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/api/v1/reports/{kind}",
			Summary: "What was shown, by proof of play: delivery, share or displaced; and uptime, " +
				"by what the controller saw; the last 24 hours without a range",
			Handler: s.report, Out: s.reportTypes,
			Query: []Param{rangeFrom, rangeTo,
				{Name: "owner", Type: "string", About: "whose signs; all that one may see without it"},
				{Name: "sign", Type: "string", About: "one sign"}, {Name: "campaign", Type: "string", About: "one campaign"},
				{Name: "format", Type: "string", Enum: []string{"json", "csv", "table"}, About: "json without it"}}},
		{Method: "GET", Path: "/api/v1/audit",
			Summary: "Who changed what: entries after a number, oldest first, or before one, newest first",
			Handler: s.auditList, Out: list[AuditEntry]{},
			Query: []Param{{Name: "after", Type: "integer", Most: 1 << 53, About: "the number of an entry"},
				{Name: "before", Type: "integer", Least: 1, Most: 1 << 53,
					About: "the number of an entry; 9007199254740992 for the newest"},
				{Name: "limit", Type: "integer", Least: 1, Most: mostEntries, About: "100 without it"}}},
		{Method: "GET", Path: "/api/v1/audit/verify",
			Summary: "Whether the log's chain is whole and what is kept is what was written (department)",
			Handler: s.auditVerify, Out: auditVerdict{},
			Query: []Param{{Name: "expect", Type: "string", About: "a head of the log of an earlier day, N:DIGEST"}}},
	}
}
