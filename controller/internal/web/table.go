package web

import (
	"strings"

	"ledcast/playlists"
)

// page is one row of the table of pages.
type page struct {
	Path string // pattern of net/http's mux
	File string // pages/FILE.html, static/FILE.js; its title is the word "FILE.title"
	// Words are prefixes of the catalogue's keys that the page uses, besides
	// "c." and "nav.", which every page has.
	Words []string
	Menu  bool // is in the navigation of the roles below
	// Department and Company are the roles whose navigation has the page. The API
	// decides what a role may do there; the navigation only hides useless links.
	Department, Company []playlists.Role
	Open                bool // also without signing in
}

var (
	everyOfficer = []playlists.Role{playlists.RoleAdmin, playlists.RoleAuthor, playlists.RoleApprover,
		playlists.RoleViewer}
	everyCompany = []playlists.Role{playlists.RoleAdmin, playlists.RoleEditor, playlists.RoleViewer}
	admins       = []playlists.Role{playlists.RoleAdmin}
)

// table lists every page in the order of the navigation. A new page needs a row
// here, a template, a module and its words; tests check that they agree.
var table = []page{
	{Path: "/{$}", File: "wall", Words: []string{"wall.", "face."}, Menu: true, Department: everyOfficer,
		Company: everyCompany},
	{Path: "/signs/{id}", File: "sign", Words: []string{"sign.", "face.", "day.", "spec.", "reports."}},
	{Path: "/add-sign", File: "addsign", Words: []string{"addsign.", "spec."}},
	{Path: "/urgent", File: "urgent", Words: []string{"urgent.", "msg.", "wall.", "face."}, Menu: true,
		Department: everyOfficer},
	{Path: "/playlists", File: "playlists", Words: []string{"playlists.", "lists.", "msg.", "media."}, Menu: true,
		Department: everyOfficer, Company: everyCompany},
	{Path: "/schedule", File: "schedule", Words: []string{"schedule.", "plan.", "face.", "day."}, Menu: true,
		Department: everyOfficer, Company: everyCompany},
	{Path: "/campaigns", File: "campaigns", Words: []string{"campaigns."}, Menu: true, Department: everyOfficer,
		Company: everyCompany},
	{Path: "/reports", File: "reports", Words: []string{"reports."}, Menu: true, Department: everyOfficer,
		Company: everyCompany},
	{Path: "/areas", File: "areas", Words: []string{"areas."}, Menu: true, Department: everyOfficer},
	{Path: "/people", File: "people", Words: []string{"people.", "role."}, Menu: true, Department: admins,
		Company: admins},
	{Path: "/tokens", File: "tokens", Words: []string{"tokens.", "role.", "kind."}, Menu: true, Department: admins,
		Company: admins},
	{Path: "/audit", File: "audit", Words: []string{"audit.", "kind."}, Menu: true, Department: admins,
		Company: admins},
	{Path: "/settings", File: "settings", Words: []string{"settings.", "msg."}, Menu: true, Department: everyOfficer},
	{Path: "/account", File: "account", Words: []string{"account.", "role.", "password."}},
	{Path: "/signin", File: "signin", Words: []string{"signin.", "password."}, Open: true},
}

// Addresses returns the address of every page by the page's name, with the id of a
// sign, for tools that visit all pages.
func Addresses(sign string) map[string]string {
	out := map[string]string{}
	for _, x := range table {
		out[x.File] = strings.NewReplacer("{$}", "", "{id}", sign).Replace(x.Path)
	}
	return out
}
