package capinbox

import (
	"slices"
	"strings"

	"ledcast/playlists"
)

// index adds a record to the maps. The caller holds b.mu, except in Open.
func (b *Inbox) index(ref string, k record) {
	b.records[ref] = k
	for _, x := range k.Refs {
		if !slices.Contains(b.links[ref], x) {
			b.links[ref] = append(b.links[ref], x)
			b.links[x] = append(b.links[x], ref)
		}
	}
	if k.MsgType != "Cancel" { // a Cancel's Alerts are those that it ended
		for _, id := range k.Alerts {
			b.documentOf[id] = ref
		}
	}
}

// family is the set of documents that references connect, directly or through
// others, in whatever order they arrived: an Alert, its Updates, and Cancels.
type family struct {
	docs    []record // oldest first
	unknown int      // references of the current document to documents that never arrived
}

// familyOf returns the family of a document.
func (b *Inbox) familyOf(d *submission) *family {
	ref := refKey(d.Ref())
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &family{}
	for _, x := range d.refs {
		if _, ok := b.records[x]; !ok {
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
		if k, ok := b.records[x]; ok {
			f.docs = append(f.docs, k) // may be an earlier record of d itself
		}
	}
	slices.SortFunc(f.docs, func(a, b record) int {
		if a.Sent != b.Sent {
			return int(min(1, max(-1, a.Sent-b.Sent)))
		}
		return strings.Compare(a.Identifier, b.Identifier)
	})
	return f
}

// cancelledBy returns the identifier of a Cancel in the family that references d
// or was sent after it, or "".
func (f *family) cancelledBy(d *submission) string {
	for i := range f.docs {
		if k := &f.docs[i]; k.MsgType == "Cancel" && len(k.Refs) > 0 &&
			(int64(k.Sent) >= d.Sent.Unix() || slices.Contains(k.Refs, refKey(d.Ref()))) {
			return k.Identifier
		}
	}
	return ""
}

// newerOutcome returns the outcome of a pending, running or held document of the
// family that supersedes d, or "".
func (f *family) newerOutcome(d *submission) string {
	ref := refKey(d.Ref())
	for i := range f.docs {
		k := &f.docs[i]
		if k.MsgType == "Cancel" || resultKey(&k.CAPResult) == ref || int64(k.Sent) <= d.Sent.Unix() &&
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

// openAlerts returns the alerts of a family that d may end: those made from
// documents that d references or that were not sent after it, and the alerts,
// including people's, that replaced these or that these replace.
func (b *Inbox) openAlerts(f *family, d *submission) (ids []string) {
	in := map[string]bool{}
	for i := range f.docs {
		k := &f.docs[i]
		if k.MsgType == "Cancel" || int64(k.Sent) > d.Sent.Unix() && !slices.Contains(d.refs, resultKey(&k.CAPResult)) {
			continue
		}
		for _, id := range k.Alerts {
			if !in[id] {
				in[id] = true
				ids = append(ids, id)
			}
		}
	}
	return b.o.Alerts.Related(ids, b.isFromDocument)
}

// isFromDocument reports whether an alert was made from a document. The caller holds b.docMu.
func (b *Inbox) isFromDocument(id string) bool { return b.documentOf[id] != "" }
