package capinbox

import (
	"context"
	"slices"

	"ledcast/controller/internal/capinbox/cap12"
	"ledcast/playlists"
)

// resolveAreas returns the known areas that match the geocodes and the signs that lie
// in the polygons and circles. It returns an error if no area is usable, and never
// falls back to all signs.
func (b *Inbox) resolveAreas(ctx context.Context, areas []cap12.Area) (codes, signs []string, err error) {
	known, err := b.o.Catalogue.Areas(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := b.o.Catalogue.Signs(ctx)
	if err != nil {
		return nil, nil, err
	}
	usable := false
	for i := range areas {
		a := &areas[i]
		usable = usable || len(a.Polygons) > 0 || len(a.Circles) > 0
		for _, g := range a.Geocodes {
			for k := range known {
				if slices.Contains(known[k].Geocodes, g) && !slices.Contains(codes, known[k].Code) {
					codes = append(codes, known[k].Code)
					usable = true
				}
			}
		}
		for k := range all {
			if p := all[k].Position; p != nil && a.Contains(*p) && !slices.Contains(signs, all[k].ID) {
				signs = append(signs, all[k].ID)
			}
		}
	}
	if !usable {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "cap.info.area", Key: "cap-area-unknown"}
	}
	// Signs that the matching areas cover are redundant.
	signs = slices.DeleteFunc(signs, func(id string) bool {
		i := slices.IndexFunc(all, func(x playlists.Sign) bool { return x.ID == id })
		return slices.ContainsFunc(all[i].Areas, func(at string) bool {
			return slices.ContainsFunc(codes, func(c string) bool { return playlists.Covers(c, at) })
		})
	})
	if len(codes) == 0 && len(signs) == 0 {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "cap.info.area",
			Key: "cap-area-without-signs"}
	}
	return codes, signs, nil
}
