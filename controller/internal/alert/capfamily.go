package alert

import (
	"slices"
	"strings"

	"ledcast/playlists"
)

// note takes a record in; i.mu is held, or nobody else knows i yet.
func (i *capInbox) note(ref string, k capKept) {
	i.seen[ref] = k
	for _, x := range k.Refs {
		if !slices.Contains(i.links[ref], x) {
			i.links[ref] = append(i.links[ref], x)
			i.links[x] = append(i.links[x], ref)
		}
	}
	if k.MsgType != "Cancel" { // a Cancel's alerts are those that it ended
		for _, id := range k.Alerts {
			i.made[id] = ref
		}
	}
}

// family are the documents that hang together by what they name, whichever came
// first and whatever lies between: an Alert, its Updates, theirs, and Cancels.
type family struct {
	docs    []capKept // oldest first; without the one that is decided
	unknown int       // documents that the one that is decided names, and that never came
}

// family is what hangs together with a document.
func (s *Service) family(d *handed) *family {
	ref := key(d.Ref())
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	f := &family{}
	for _, x := range d.refs {
		if _, ok := s.inbox.seen[x]; !ok {
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
		next = append(next, s.inbox.links[x]...)
		if k, ok := s.inbox.seen[x]; ok {
			f.docs = append(f.docs, k) // itself, too: what a person handed in under its name
		}
	}
	slices.SortFunc(f.docs, func(a, b capKept) int {
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
		if k := &f.docs[i]; k.MsgType == "Cancel" && len(k.Refs) > 0 && (int64(k.Sent) >= d.Sent.Unix() || slices.Contains(k.Refs, key(d.Ref()))) {
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
		if k.MsgType == "Cancel" || refOf(&k.CAPResult) == ref || int64(k.Sent) <= d.Sent.Unix() && !slices.Contains(k.Refs, ref) {
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
func (s *Service) alive(f *family, d *handed) (ids []string) {
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
	made := s.inbox.made // which changes with s.inbox.one alone, and that is held
	s.mu.Lock()
	for more := true; more; { // one that replaces one that replaces one
		more = false
		for id, e := range s.entries {
			if in[id] || made[id] != "" {
				continue
			}
			before := e.Replaces != "" && in[e.Replaces]
			after := e.ReplacedBy != "" && in[e.ReplacedBy]
			corrects := e.Corrects != "" && in[e.Corrects]
			if (before || after) && !corrects {
				in[id], more = true, true
				ids = append(ids, id)
			}
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { e := s.entries[id]; return e == nil || e.State == playlists.AlertEnded })
	s.mu.Unlock()
	return ids
}

// ofDocument reports whether an alert was made of a document; s.inbox.one is held.
func (s *Service) ofDocument(id string) bool { return s.inbox.made[id] != "" }

// mayEnd refuses an officer who acts elsewhere, before anything is ended.
func (s *Service) mayEnd(ids []string, who *playlists.Principal) error {
	for _, id := range ids {
		e, err := s.find(id)
		if err != nil {
			return err
		}
		s.mu.Lock()
		a := e.Alert
		s.mu.Unlock()
		if err := s.within(&a, who); err != nil {
			return err
		}
	}
	return nil
}
