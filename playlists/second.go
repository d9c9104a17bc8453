package playlists

import "slices"

// Two people decide what alarms a province. This file says who they are: whoever writes and whoever approves, with the
// makers of their credentials, must be different people.

// Author is who wrote something that another person approves.
type Author struct {
	ID string
	// Makers made the author's credential in the 24 hours before.
	Makers []string
}

// CheckSecond returns an *Error of code Denied unless p may approve what the author wrote. field names it.
func CheckSecond(field string, author Author, p *Principal) error {
	if p.Program {
		return &Error{Code: Denied, Field: field, Key: "approval-by-program"}
	}
	if p.Fresh {
		return &Error{Code: Denied, Field: field, Key: "approver-too-new"}
	}
	if p.Stands != "" && Same(author.ID, p.Stands) {
		return &Error{Code: Denied, Field: field, Key: "approval-by-oneself"}
	}
	if Same(author.ID, p.ID) {
		return &Error{Code: Denied, Field: field, Key: "approval-by-oneself"}
	}
	for _, a := range append([]string{author.ID}, author.Makers...) {
		for _, b := range append([]string{p.ID}, p.Makers...) {
			if Same(a, b) {
				return &Error{Code: Denied, Field: field, Value: a, Key: "approval-by-maker"}
			}
		}
	}
	return nil
}

// Author is p as the author of something.
func (p *Principal) Author() Author {
	a := Author{ID: p.ID, Makers: slices.Clone(p.Makers)}
	if p.Stands != "" {
		a.Makers = append(a.Makers, p.Stands)
	}
	return a
}
