package playlists

import "cmp"

// Validate implements Thing: the controller makes a Medium of an upload that
// it has checked.
func (m *Medium) Validate() error { return CheckSlug("media/id", m.ID) }

// Key implements Thing.
func (m *Medium) Key() Key { return Key{KindMedia, m.Owner, m.ID} }

// Of implements Thing.
func (m *Medium) Of() string { return m.Owner }

// Complete implements Thing.
func (m *Medium) Complete(owner, id string) {
	m.Owner = cmp.Or(m.Owner, owner)
	m.ID = cmp.Or(m.ID, id)
}

// Refs implements Thing: a picture names its owner.
func (m *Medium) Refs() []Ref { return []Ref{ownerRef("media/"+m.ID, m.Owner)} }

// Reach implements Thing.
func (m *Medium) Reach() Reach { return Reach{ByUse: true} }
