package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"ledcast/playlists"
)

// Stored is a thing as it is kept.
type Stored struct {
	Owner   string
	ID      string
	Data    []byte // JSON
	Version int64
}

// Written is what became of a write.
type Written struct {
	Version int64
	Waits   bool // a part of it waits for the department
}

// Objects keeps what people put in. Each write is checked at the door, written
// under an expected version, and audited, all or nothing.
type Objects interface {
	Get(ctx context.Context, kind playlists.Kind, owner, id string) (Stored, error)
	// List is sorted; owner "*" lists everybody's.
	List(ctx context.Context, kind playlists.Kind, owner string) ([]Stored, error)
	Put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64, over *Override) (Written, error)
	Delete(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, expected int64) error
}

// resource is a kind of thing at its paths.
type resource struct {
	kind playlists.Kind
	// path is where it lives below /api/v1/, e.g. "owners/{owner}/messages".
	path  string
	name  string                                                                // for people, e.g. "message"
	spec  any                                                                   // its type, for the OpenAPI document
	parse func(data []byte, owner, id string) (value any, of string, err error) // of: whom it belongs to
}

// checked is what every kind of thing has.
type checked interface{ Validate() error }

// owned makes a resource of things that belong to the owner in their path.
func owned[T any, P interface {
	*T
	checked
}](kind playlists.Kind, name, plural string, names func(P) (id, owner *string)) resource {
	return resource{kind: kind, path: "owners/{owner}/" + plural, name: name, spec: *new(T), parse: func(data []byte, owner, id string) (any, string, error) {
		v := P(new(T))
		err := parse(data, v, plural+"/"+id, func() error {
			i, o := names(v)
			return errors.Join(sameID(i, id, plural), sameID(o, owner, plural+"/"+id+".owner"))
		}, v.Validate)
		return v, owner, err
	}}
}

// common makes a resource of things of the whole installation, or whose owner
// is a field.
func common[T any, P interface {
	*T
	checked
}](kind playlists.Kind, name, plural string, names func(P) *string, of func(P) string) resource {
	return resource{kind: kind, path: plural, name: name, spec: *new(T), parse: func(data []byte, _, id string) (any, string, error) {
		v := P(new(T))
		err := parse(data, v, plural+"/"+id, func() error { return sameID(names(v), id, plural) }, v.Validate)
		return v, of(v), err
	}}
}

func department[P any](P) string { return playlists.Public }

// resources are the things that people put, one row for each kind.
var resources = []resource{
	common(playlists.KindOwner, "owner", "owners", func(v *playlists.Owner) *string { return &v.ID }, func(v *playlists.Owner) string { return v.ID }),
	common(playlists.KindArea, "area", "areas", func(v *playlists.Area) *string { return &v.Code }, department),
	common(playlists.KindSign, "sign", "signs", func(v *playlists.Sign) *string { return &v.ID }, func(v *playlists.Sign) string { return v.Owner }),
	common(playlists.KindCampaign, "campaign", "campaigns", func(v *playlists.Campaign) *string { return &v.ID }, department),
	common(playlists.KindUser, "user", "users", func(v *playlists.User) *string { return &v.ID }, func(v *playlists.User) string { return v.Owner }),
	owned(playlists.KindMessage, "message", "messages", func(v *playlists.Message) (id, owner *string) { return &v.ID, &v.Owner }),
	owned(playlists.KindPlaylist, "playlist", "playlists", func(v *playlists.Playlist) (id, owner *string) { return &v.ID, &v.Owner }),
	owned(playlists.KindSchedule, "schedule", "schedules", func(v *playlists.Schedule) (id, owner *string) { return &v.ID, &v.Owner }),
	owned(playlists.KindAgreement, "agreement", "agreements", func(v *playlists.Agreement) (id, owner *string) { return &v.ID, &v.Owner }),
}

// byField reports whether whose a thing is stands in the thing, not in its path.
func (res *resource) byField() bool {
	return res.kind == playlists.KindSign || res.kind == playlists.KindUser
}

// objectRoutes is the part of the route table that every kind has.
func (s *Server) objectRoutes() []Route {
	var routes []Route
	for _, res := range resources {
		path, id := "/api/v1/"+res.path, "/{id}"
		list, one := path, path
		switch res.kind {
		case playlists.KindSign: // /signs is the wall's view of them
			list, one = "/api/v1/specs/signs", "/api/v1/specs/signs"
		case playlists.KindArea: // a code has slashes
			id = "/{id...}"
		}
		item := map[string]any{"items": []any{}}
		routes = append(routes,
			Route{Method: "GET", Path: list, Summary: "List " + res.name + "s", Handler: s.list(res), Out: item, Of: res.spec},
			Route{Method: "GET", Path: one + id, Summary: "Read a " + res.name + "; the ETag is its version", Handler: s.get(res), Out: res.spec},
			Route{Method: "PUT", Path: path + id, Summary: "Create or replace a " + res.name + "; If-Match or If-None-Match make it conditional", Handler: s.put(res), In: res.spec, Out: res.spec},
			Route{Method: "DELETE", Path: path + id, Summary: "Delete a " + res.name, Handler: s.remove(res)})
	}
	sign := resources[slices.IndexFunc(resources, func(r resource) bool { return r.kind == playlists.KindSign })]
	return append(routes, Route{Method: "GET", Path: "/api/v1/signs/{id}/spec", Summary: "Read what was put of a sign", Handler: s.get(sign), Out: sign.spec})
}

// sameID fills in a name that the path says, and refuses another one.
func sameID(field *string, path, what string) error {
	if *field == "" {
		*field = path
	}
	if *field != path {
		return &playlists.Error{Code: playlists.Invalid, Field: what, Value: *field, Problem: "is not what the path says: " + path, Remedy: "leave it out, or use the other path"}
	}
	return nil
}

// who authenticates. Nobody known is 401 with a problem document.
func (s *Server) who(w http.ResponseWriter, r *http.Request) *playlists.Principal {
	p, err := s.auth.Principal(r)
	if err != nil {
		s.deny(w, r, err)
		return nil
	}
	return p
}

func notThere(what, id string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: what, Value: id, Problem: "is not here", Remedy: "list what is, one path up"}
}

// ownerOf is whose a thing is: the path's owner, or for department-wide kinds
// the thing's own.
func (s *Server) ownerOf(r *http.Request, kind playlists.Kind, id string) (path, owner string, err error) {
	path = r.PathValue("owner")
	switch kind {
	case playlists.KindOwner:
		return "", id, nil
	case playlists.KindSign, playlists.KindUser:
		o, err := s.objects.Get(r.Context(), kind, "", id)
		if err != nil {
			return "", "", err
		}
		owner, err = ownerIn(o.Data)
		return "", owner, err
	case playlists.KindArea, playlists.KindCampaign:
		return "", playlists.Public, nil
	}
	return path, path, nil
}

// ownerIn is the owner field of a stored thing.
func ownerIn(data []byte) (string, error) {
	var v struct{ Owner string }
	err := json.Unmarshal(data, &v)
	return v.Owner, err
}

func (s *Server) list(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		owner := r.PathValue("owner")
		if owner != "" && !p.MayRead(res.kind, owner) {
			s.fail(w, r, notThere("owners", owner))
			return
		}
		if owner == "" && !p.MayRead(res.kind, p.Owner) {
			s.fail(w, r, denied(p, res.kind, ""))
			return
		}
		items, err := s.objects.List(r.Context(), res.kind, owner)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		out := []json.RawMessage{}
		for _, it := range items {
			of := it.Owner
			switch res.kind {
			case playlists.KindOwner:
				of = it.ID
			case playlists.KindSign, playlists.KindUser:
				if of, err = ownerIn(it.Data); err != nil {
					s.fail(w, r, err)
					return
				}
			case playlists.KindArea, playlists.KindCampaign:
				of = playlists.Public
			}
			if !p.MayRead(res.kind, of) {
				continue
			}
			seen, err := s.ownPart(r.Context(), p, res.kind, it.Data)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			out = append(out, seen)
		}
		answer(w, map[string]any{"items": out})
	}
}

func (s *Server) get(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		id := r.PathValue("id")
		path, of, err := s.ownerOf(r, res.kind, id)
		if err == nil && !p.MayRead(res.kind, of) {
			err = notThere(string(res.kind), id)
		}
		var o Stored
		if err == nil {
			o, err = s.objects.Get(r.Context(), res.kind, path, id)
		}
		var seen json.RawMessage
		if err == nil {
			seen, err = s.ownPart(r.Context(), p, res.kind, o.Data)
		}
		if err != nil {
			s.fail(w, r, hide(err, res.kind, id))
			return
		}
		w.Header().Set("ETag", etag(o.Version))
		answer(w, seen)
	}
}

// ownPart is what somebody sees of a thing: a company sees no other's signs in
// a campaign of the department.
func (s *Server) ownPart(ctx context.Context, p *playlists.Principal, kind playlists.Kind, data []byte) (json.RawMessage, error) {
	if kind != playlists.KindCampaign || p.Department() {
		return data, nil
	}
	var c playlists.Campaign
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	if len(c.Signs) == 0 {
		return data, nil
	}
	own := []string{}
	for _, id := range c.Signs {
		sign, err := s.find(ctx, id)
		if err != nil && !isMissing(err) {
			return nil, err
		}
		if err == nil && sign.Owner == p.Owner {
			own = append(own, id)
		}
	}
	c.Signs = own
	return json.Marshal(c)
}

// hide makes every "not there" the same answer: another's thing and nothing at
// all cannot be told apart.
func hide(err error, kind playlists.Kind, id string) error {
	var e *playlists.Error
	if errors.As(err, &e) && e.Code == playlists.NotFound {
		return notThere(string(kind), id)
	}
	return err
}

func isMissing(err error) bool {
	var e *playlists.Error
	return errors.As(err, &e) && e.Code == playlists.NotFound
}

func (s *Server) put(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		id := r.PathValue("id")
		path, of, err := s.ownerOf(r, res.kind, id)
		fresh := false
		if res.byField() && isMissing(err) {
			fresh, err = true, nil // new: whose it is the body says
		}
		// Authorisation comes before validation: a stranger learns nothing.
		if err == nil && !fresh && !p.MayWrite(res.kind, of) {
			err = s.refused(p, res.kind, of, id)
		}
		if err != nil {
			s.fail(w, r, hide(err, res.kind, id))
			return
		}
		data, err := body(w, r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		value, claimed, err := res.parse(data, path, id)
		if fresh && err != nil && claimed == "" && p.MayWrite(res.kind, p.Owner) {
			claimed = p.Owner // it says of nobody that it is theirs: what is wrong with it may be told
		}
		if err == nil && claimed != of && !fresh && res.byField() {
			err = &playlists.Error{Code: playlists.Invalid, Field: res.path + "/" + id + ".owner", Value: claimed, Problem: "is not the " + res.name + "'s owner", Remedy: "what changes hands gets a new id"}
		}
		if fresh && !p.MayWrite(res.kind, claimed) {
			// Before the parse error: whose names are taken is nobody's business.
			if err = s.refused(p, res.kind, p.Owner, id); p.MayWrite(res.kind, p.Owner) {
				err = notThere("owners", claimed)
			}
		}
		var want int64
		var done Written
		if err == nil {
			want, err = expected(r)
		}
		if err == nil {
			var over *Override
			if over, err = override(r); err == nil {
				done, err = s.objects.Put(r.Context(), p, res.kind, path, id, value, want, over)
			}
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("ETag", etag(done.Version))
		status := http.StatusOK
		switch {
		case done.Waits:
			status = http.StatusAccepted
		case done.Version == 1:
			status = http.StatusCreated
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value) // the client went away
	}
}

// refused is 404 for what p may not even see, and 403 for what it may see but
// not change.
func (s *Server) refused(p *playlists.Principal, kind playlists.Kind, of, id string) error {
	if !p.MayRead(kind, of) {
		return notThere(string(kind), id)
	}
	return denied(p, kind, id)
}

func denied(p *playlists.Principal, kind playlists.Kind, id string) error {
	return &playlists.Error{Code: playlists.Denied, Field: string(kind), Value: id, Problem: "is not for the role " + string(p.Role), Remedy: "ask an administrator of " + p.Owner}
}

func (s *Server) remove(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		id := r.PathValue("id")
		path, of, err := s.ownerOf(r, res.kind, id)
		if err == nil && !p.MayWrite(res.kind, of) {
			err = s.refused(p, res.kind, of, id)
		}
		var want int64
		if err == nil {
			want, err = expected(r)
		}
		if err == nil {
			err = s.objects.Delete(r.Context(), p, res.kind, path, id, want)
		}
		if err != nil {
			s.fail(w, r, hide(err, res.kind, id))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
