package admission

import (
	"cmp"
	"slices"

	"ledcast/playlists"
)

// splitForApproval moves a company's change of areas, test or mode into a
// pending change: the department answers for where a sign counts as standing,
// whether it shows tests, and how far it is trusted. A new sign stands where its
// company says, and shows no tests yet. It returns the sign as it may be written
// now.
func (x *check) splitForApproval(v *playlists.Sign) (*playlists.Sign, *playlists.PendingChange, error) {
	if x.who.Department() {
		return v, nil, nil
	}
	now, ok := x.old.(*playlists.Sign)
	alerts := playlists.AlertsNew
	if ok {
		alerts = now.Alerts
	} else if x.overLimits(v) {
		alerts = playlists.AlertsWaiting
	}
	if alerts != v.Alerts { // a company sends back what it has read, and decides nothing by it
		c := *v
		c.Alerts = alerts
		v = &c
	}
	if !ok {
		now = &playlists.Sign{Areas: v.Areas, Mode: v.Mode}
	}
	if slices.Equal(now.Areas, v.Areas) && now.Test == v.Test && now.Picture() == v.Picture() {
		return v, nil, nil
	}
	for _, r := range v.Refs() {
		if r.Kind == playlists.KindArea {
			if err := x.reference(v, r); err != nil {
				return nil, nil, err
			}
		}
	}
	out := *v
	out.Areas, out.Test, out.Mode = now.Areas, now.Test, now.Mode
	return &out, &playlists.PendingChange{Sign: v.ID, Areas: v.Areas, Test: v.Test, Mode: v.Mode, By: x.who.ID,
		AtMS: x.now.UnixMilli()}, nil
}

// overLimits reports whether a new sign is beyond the signs or classes that its owner may have. It is taken all the
// same, so that nobody is turned away at the sign, and waits for the department.
func (x *check) overLimits(v *playlists.Sign) bool {
	owner, _ := playlists.Find[*playlists.Owner](x.s, playlists.Key{Kind: playlists.KindOwner, ID: v.Owner})
	if owner == nil {
		return false // references refuses it
	}
	signs, classes := 1, map[playlists.Class]bool{v.Class: true}
	for _, s := range playlists.All[*playlists.Sign](x.s, playlists.KindSign) {
		if s.Owner == v.Owner && s.Alerts != playlists.AlertsWaiting {
			signs++
			classes[s.Class] = true
		}
	}
	return signs > cmp.Or(owner.MaxSigns, playlists.DefaultSigns) ||
		len(classes) > cmp.Or(owner.MaxClasses, playlists.DefaultClasses)
}
