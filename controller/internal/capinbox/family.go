package capinbox

import (
	"slices"
	"strings"

	"ledcast/playlists"
)

// note takes a record in; b.mu is held, or nobody else knows i yet.
func (b *Inbox) note(ref string, k kept) {
	b.seen[ref] = k
	for _, x := range k.Refs {
		if !slices.Contains(b.links[ref], x) {
			b.links[ref] = append(b.links[ref], x)
			b.links[x] = append(b.links[x], ref)
		}
	}
	if k.MsgType != "Cancel" { // a Cancel's alerts are those that it ended
		for _, id := range k.Alerts {
			b.made[id] = ref
		}
	}
}

// family are the documents that hang together by what they name, whichever came
// first and whatever lies between: an Alert, its Updates, theirs, and Cancels.
type family struct {
	docs    []kept // oldest first; without the one that is decided
	unknown int    // documents that the one that is decided names, and that never came
}

// family is what hangs together with a document.
func (b *Inbox) family(d *handed) *family {
	ref := key(d.Ref())
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &family{}
	for _, x := range d.refs {
		if _, ok := b.seen[x]; !ok {
			f.unknown++
		}
	}
	seen := map[string]bool{}
	next := append([]string{ref}, d.refs...)
	for len(next) > 0 {
		x := next[0]
		next = next[1:]
		if seen[x] {
			continue
		}
		seen[x] = true
		next = append(next, b.links[x]...)
		if k, ok := b.seen[x]; ok {
			f.docs = append(f.docs, k) // itself, too: what a person handed in under its name
		}
	}
	slices.SortFunc(f.docs, func(a, b kept) int {
		if a.Sent != b.Sent {
			return int(min(1, max(-1, a.Sent-b.Sent)))
		}
		return strings.Compare(a.Identifier, b.Identifier)
	})
	return f
}

// cancelled is the Cancel of a family that stops a document: one that names it,
// or that was sent after it. "" for none.
func (f *family) cancelled(d *handed) string {
	for i := range f.docs {
		if k := &f.docs[i]; k.MsgType == "Cancel" && len(k.Refs) > 0 &&
			(int64(k.Sent) >= d.Sent.Unix() || slices.Contains(k.Refs, key(d.Ref()))) {
			return k.Identifier
		}
	}
	return ""
}

// newer is what became of a later document of the family that says something in
// a document's place; "" for none.
func (f *family) newer(d *handed) string {
	ref := key(d.Ref())
	for i := range f.docs {
		k := &f.docs[i]
		if k.MsgType == "Cancel" || refOf(&k.CAPResult) == ref || int64(k.Sent) <= d.Sent.Unix() &&
			!slices.Contains(k.Refs, ref) {
			continue
		}
		switch k.Outcome {
		case playlists.CAPPending, playlists.CAPRunning, playlists.CAPHeld:
			return k.Outcome
		}
	}
	return ""
}

// alive are the alerts of a family that are not over, as far as a document can
// end them: made of what it names or what was sent before it, and what took
// their place or gave it, by a person's hand too. Another sender's are no part.
func (b *Inbox) alive(f *family, d *handed) (ids []string) {
	in := map[string]bool{}
	for i := range f.docs {
		k := &f.docs[i]
		if k.MsgType == "Cancel" || int64(k.Sent) > d.Sent.Unix() && !slices.Contains(d.refs, refOf(&k.CAPResult)) {
			continue
		}
		for _, id := range k.Alerts {
			if !in[id] {
				in[id] = true
				ids = append(ids, id)
			}
		}
	}
	made := b.made // which changes with b.one alone, and that is held
	return b.o.Alerts.Related(ids, func(id string) bool { return made[id] != "" })
}

// ofDocument reports whether an alert was made of a document; b.one is held.
func (b *Inbox) ofDocument(id string) bool { return b.made[id] != "" }
