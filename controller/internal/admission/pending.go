package admission

import (
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
