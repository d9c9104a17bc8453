package playlists

import "fmt"

// DefaultRotation is the department's playlist that shows where nothing else
// does.
const DefaultRotation = "default"

func ownerRef(where, owner string) Ref {
	return Ref{Key: Key{KindOwner, "", owner}, Field: where + ".owner"}
}

func areaRefs(where string, areas []string) []Ref {
	refs := make([]Ref, len(areas))
	for i, a := range areas {
		refs[i] = Ref{Key: Key{KindArea, "", a}, Field: fmt.Sprintf("%s.areas[%d]", where, i)}
	}
	return refs
}

func signRefs(where string, signs []string, own bool) []Ref {
	refs := make([]Ref, len(signs))
	for i, id := range signs {
		refs[i] = Ref{Key: Key{KindSign, "", id}, Field: fmt.Sprintf("%s.signs[%d]", where, i), Own: own}
	}
	return refs
}
