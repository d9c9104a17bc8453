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
	In           any    // a value of the JSON body's type; nil: none
	Out          any    // a value of the answer's type; nil: none
	Of           any    // where Out is a list: of what
	Type         string // of an answer that is not JSON, e.g. "image/png"
	Takes        string // of a body that is not JSON, e.g. "image/*"
	Open         bool   // needs no credentials
	Nothing      string // of what there may be none: what 204 says then
}

// Routes is the one route table.
func (s *Server) Routes() []Route {
	routes := []Route{
		{Method: "GET", Path: "/healthz", Summary: "Whether the process answers", Handler: s.healthz, Type: "text/plain", Open: true},
		{Method: "GET", Path: "/readyz", Summary: "Whether files are written and the broker holds what every sign should have", Handler: s.readyz, Type: "text/plain", Open: true},
		{Method: "GET", Path: "/api/v1/openapi.json", Summary: "This document", Handler: s.openAPI, Out: map[string]any{}, Open: true},

		{Method: "GET", Path: "/api/v1/signs", Summary: "Every sign that one may see, as it is now", Handler: s.signs, Out: signList{}},
		{Method: "GET", Path: "/api/v1/signs/{id}", Summary: "A sign as it is now", Handler: s.sign, Out: SignView{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/at", Summary: "What a sign shows at a time (query time, RFC 3339; now without it), and why", Handler: s.signAt, Out: signAt{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/day", Summary: "A sign's day (query date; today without it): which rule shows when, and which ones do not, and why", Handler: s.signDay, Out: signDay{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/health", Summary: "How a sign was, as the controller saw it: online, clock, faults, as spans and by day (query from, to; the last 7 days without them)", Handler: s.signHealth, Out: HealthHistory{}},
		{Method: "GET", Path: "/api/v1/signs/{id}/face.png", Summary: "The frame that a sign shows now", Handler: s.facePNG, Type: "image/png"},
		{Method: "GET", Path: "/api/v1/signs/{id}/frames/{sha}", Summary: "A frame of the sign's program", Handler: s.frame, Type: "image/*"},
		{Method: "GET", Path: "/api/v1/signs/{id}/snapshot.png", Summary: "What was on the sign's output when it was asked last", Handler: s.snapshotPNG, Type: "image/png"},
		{Method: "GET", Path: "/api/v1/signs/{id}/pending", Summary: "A change of areas, test or mode that waits for the department", Handler: s.pending, Out: Pending{}, Nothing: "no change waits"},
		{Method: "POST", Path: "/api/v1/signs/{id}/pending/approve", Summary: "Let a waiting change take effect (department)", Handler: s.decide(true), Out: Pending{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/pending/refuse", Summary: "Drop a waiting change (department, or the company itself)", Handler: s.decide(false), Out: Pending{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/credentials", Summary: "Give a sign a new password; the answer is its config file, once", Handler: s.enrolFile, Type: "application/json"},
		{Method: "DELETE", Path: "/api/v1/signs/{id}/credentials", Summary: "Revoke a sign's password and close its connection", Handler: s.revokeSign},
		{Method: "POST", Path: "/api/v1/signs/{id}/code", Summary: "Make a one-time code with which the sign fetches its config file", Handler: s.enrolCode, Out: enrolCode{}},
		{Method: "POST", Path: "/api/v1/signs/{id}/key/confirm", Summary: "Accept that the sign proves its plays with another key", Handler: s.confirmKey},
		{Method: "POST", Path: "/api/v1/enrol", Summary: "Trade a one-time code for a sign's config file", Handler: s.enrol, In: enrolCode{}, Type: "application/json", Open: true},
		{Method: "GET", Path: "/api/v1/events", Summary: "Server-sent events: \"sign\" with a sign's view, and to the department \"alert\" with an alert's, at once and at every change (query sign: of that sign only)", Handler: s.events, Type: "text/event-stream"},

		{Method: "POST", Path: "/api/v1/owners/{owner}/preview", Summary: "How a message would look on some classes, and what speaks against it; nothing is kept", Handler: s.preview, In: previewIn{}, Out: previewOut{}},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media", Summary: "List an owner's pictures", Handler: s.mediaList, Out: map[string]any{}, Of: Medium{}},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}", Summary: "What is known of a picture, and which messages use it", Handler: s.mediaInfo, Out: Medium{}},
		{Method: "PUT", Path: "/api/v1/owners/{owner}/media/{id}", Summary: "Upload a picture: PNG, JPEG, GIF or WebP", Handler: s.mediaPut, Takes: "image/*", Out: Medium{}},
		{Method: "DELETE", Path: "/api/v1/owners/{owner}/media/{id}", Summary: "Delete a picture that no message uses", Handler: s.mediaRemove},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}/file", Summary: "The picture as it is kept", Handler: s.mediaFile, Type: "image/*"},
		{Method: "GET", Path: "/api/v1/owners/{owner}/media/{id}/thumb.png", Summary: "The picture as it looks on a class (query class)", Handler: s.mediaThumb, Type: "image/png"},

		{Method: "GET", Path: "/api/v1/me", Summary: "Who asks", Handler: s.me, Out: Me{}},
		{Method: "POST", Path: "/api/v1/session", Summary: "Sign in with name and password; sets a cookie", Handler: s.signIn, In: credentials{}, Out: Me{}, Open: true},
		{Method: "POST", Path: "/api/v1/session/code", Summary: "Sign in with the code of a link, once; sets a cookie", Handler: s.redeem, In: linkCode{}, Out: Me{}, Open: true},
		{Method: "DELETE", Path: "/api/v1/session", Summary: "Sign out", Handler: s.signOut, Open: true},
		{Method: "PUT", Path: "/api/v1/me/password", Summary: "Set one's own password; ends all of one's sessions", Handler: s.ownPassword, In: newPassword{}},
		{Method: "POST", Path: "/api/v1/users/{id}/link", Summary: "Make a link that lets somebody in once, to set a password", Handler: s.userLink, Out: userLink{}},
		{Method: "DELETE", Path: "/api/v1/users/{id}/sessions", Summary: "Sign somebody out everywhere", Handler: s.userOut},
		{Method: "GET", Path: "/api/v1/tokens", Summary: "List API tokens, without their secrets", Handler: s.tokens, Out: map[string]any{}, Of: auth.Token{}},
		{Method: "PUT", Path: "/api/v1/tokens/{id}", Summary: "Make or replace an API token; the answer holds its secret, once", Handler: s.tokenPut, In: auth.Token{}, Out: madeToken{}},
		{Method: "DELETE", Path: "/api/v1/tokens/{id}", Summary: "Revoke an API token at once", Handler: s.tokenRemove},

		{Method: "GET", Path: "/api/v1/reports/{kind}", Summary: "What was shown, by proof of play: delivery, share or displaced; and uptime, by what the controller saw (query from, to, owner, sign, campaign, format=json|csv|table)", Handler: s.report, Out: map[string]any{}},
		{Method: "GET", Path: "/api/v1/audit", Summary: "Who changed what: entries after a number (query after, limit), oldest first; or before one (query before, limit), newest first, 9007199254740992 for the newest of all", Handler: s.auditList, Out: map[string]any{}, Of: AuditEntry{}},
		{Method: "GET", Path: "/api/v1/audit/verify", Summary: "Whether the log's chain is whole and what is kept is what was written (department; query expect: a head of an earlier day, N:DIGEST)", Handler: s.auditVerify, Out: auditVerdict{}},
	}
	return slices.Concat(routes, s.alertRoutes(), s.capRoutes(), s.objectRoutes())
}
