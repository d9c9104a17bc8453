package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"ledcast/controller/internal/admission"
	"ledcast/playlists"
)

// Objects keeps what people put in. Each write is decided by package admission,
// written under an expected version, and audited, all or nothing.
type Objects interface {
	Get(ctx context.Context, key playlists.Key) (playlists.Stored, error)
	// List is sorted; owner "*" lists everybody's.
	List(ctx context.Context, kind playlists.Kind, owner string) ([]playlists.Stored, error)
	Put(ctx context.Context, who *playlists.Principal, t playlists.Thing, expected int64,
		waive *admission.Waive) (playlists.Written, error)
	Delete(ctx context.Context, who *playlists.Principal, key playlists.Key, expected int64) error
}

// resource is a kind of thing at its paths.
type resource struct{ *playlists.KindInfo }

// spec is an empty thing, whose type the OpenAPI document describes.
func (res resource) spec() any { return reflect.ValueOf(res.New()).Elem().Interface() }

// resources are the kinds that people put as documents.
func resources() (out []resource) {
	for i := range playlists.Kinds {
		if playlists.Kinds[i].Document != "" {
			out = append(out, resource{&playlists.Kinds[i]})
		}
	}
	return out
}

// objectRoutes is the part of the route table that every kind has.
func (s *Server) objectRoutes() []Route {
	var routes []Route
	for _, res := range resources() {
		const root = "/api/v1/"
		name, spec, id := string(res.Kind), res.spec(), "/{id}"
		if res.Slashes {
			id = "/{id...}"
		}
		list := root + res.ListPath("{owner}")
		path := root + res.ListPath("{owner}")
		if res.Viewed {
			path = root + res.Plural
		}
		var query []Param
		switch res.Kind {
		case playlists.KindSign, playlists.KindMessage, playlists.KindPlaylist, playlists.KindSchedule:
			query = overridable
		}
		routes = append(routes,
			Route{Method: "GET", Path: list, Summary: "List " + name + "s", Handler: s.list(res), Out: listOf{spec}},
			Route{Method: "GET", Path: list + id, Summary: "Read a " + name + "; the ETag is its version", Handler: s.get(res),
				Out: spec},
			Route{Method: "PUT", Path: path + id,
				Summary: "Create or replace a " + name + "; If-Match or If-None-Match make it conditional",
				Handler: s.put(res), Query: query, In: spec, Out: spec},
			Route{Method: "DELETE", Path: path + id, Summary: "Delete a " + name, Handler: s.remove(res)})
		if res.Viewed {
			routes = append(routes, Route{Method: "GET", Path: path + id + "/spec", Summary: "Read what was put of a " + name,
				Handler: s.get(res), Out: spec})
		}
	}
	return routes
}

// sameID rejects a name that is not the one that the path says.
func sameID(name, path, what string) error {
	if name == path {
		return nil
	}
	return &playlists.Error{Code: playlists.Invalid, Field: what, Value: name,
		Key: "differs-from-path", Args: []any{path}}
}

// completeID fills in a name that the path says, and rejects another one.
func completeID(name *string, path, what string) error {
	*name = cmp.Or(*name, path)
	return sameID(*name, path, what)
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
	return &playlists.Error{Code: playlists.NotFound, Field: what, Value: id, Key: "not-here"}
}

// target is the thing that a request's path names, and the owner that it belongs
// to. For a kind whose owner is a field of the thing, its error is NotFound where
// there is no such thing.
func (s *Server) target(r *http.Request, res resource) (key playlists.Key, owner string, err error) {
	key = res.Key(r.PathValue("owner"), r.PathValue("id"))
	if owner, ok := res.OwnerOf(key); ok {
		return key, owner, nil
	}
	o, err := s.objects.Get(r.Context(), key)
	if err != nil {
		return key, "", err
	}
	owner, err = ownerIn(o.Data)
	return key, owner, err
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
		if owner != "" && !p.MayRead(res.Kind, owner) {
			s.fail(w, r, notThere("owners", owner))
			return
		}
		if owner == "" && !p.MayRead(res.Kind, p.Owner) {
			s.fail(w, r, denied(p, res.Kind, ""))
			return
		}
		items, err := s.objects.List(r.Context(), res.Kind, owner)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		out := []json.RawMessage{}
		for _, it := range items {
			seen, err := s.readable(r.Context(), p, res, it)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			if seen != nil {
				out = append(out, seen)
			}
		}
		answer(w, list[json.RawMessage]{out})
	}
}

// readable is what p may read of a stored thing; nil for nothing.
func (s *Server) readable(ctx context.Context, p *playlists.Principal, res resource,
	it playlists.Stored) (json.RawMessage, error) {
	of, ok := res.OwnerOf(it.Key)
	if !ok {
		var err error
		if of, err = ownerIn(it.Data); err != nil {
			return nil, err
		}
	}
	if !p.MayRead(res.Kind, of) {
		return nil, nil
	}
	return s.ownPart(ctx, p, res.Kind, it.Data)
}

func (s *Server) get(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		key, of, err := s.target(r, res)
		if err == nil && !p.MayRead(res.Kind, of) {
			err = notThere(string(res.Kind), key.ID)
		}
		var o playlists.Stored
		if err == nil {
			o, err = s.objects.Get(r.Context(), key)
		}
		var seen json.RawMessage
		if err == nil {
			seen, err = s.ownPart(r.Context(), p, res.Kind, o.Data)
		}
		if err != nil {
			s.fail(w, r, hide(err, res.Kind, key.ID))
			return
		}
		w.Header().Set("ETag", etag(o.Version))
		answer(w, seen)
	}
}

// ownPart is what somebody sees of a thing: a company sees no other's signs in
// a campaign of the department.
func (s *Server) ownPart(ctx context.Context, p *playlists.Principal, kind playlists.Kind,
	data []byte) (json.RawMessage, error) {
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
		sign, err := s.src.Sign(ctx, id)
		if err != nil {
			return nil, err
		}
		if sign != nil && sign.Owner == p.Owner {
			own = append(own, id)
		}
	}
	c.Signs = own
	return json.Marshal(c)
}

// hide makes every "not there" the same answer: another's thing and nothing at
// all cannot be told apart.
func hide(err error, kind playlists.Kind, id string) error {
	if playlists.IsNotFound(err) {
		return notThere(string(kind), id)
	}
	return err
}

func (s *Server) put(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		done, err := s.putThing(w, r, res, p)
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
		if sign, ok := done.Thing.(*playlists.Sign); ok {
			why, err := s.unable(r.Context(), sign)
			if err != nil {
				s.log.Warn("whether a sign can show urgent messages is not known", "sign", sign.ID, "err", err)
			}
			answerStatus(w, status, PutSign{sign, why})
			return
		}
		answerStatus(w, status, done.Thing)
	}
}

// PutSign is a sign as it was put, with what whoever puts it must know.
type PutSign struct {
	*playlists.Sign
	// why it can show no template of urgent messages, not even in short
	Unable *playlists.Finding `json:"alerts_unable,omitempty"`
}

// putThing reads a thing off a request and has it written. Authorisation comes
// before validation: a stranger learns nothing.
func (s *Server) putThing(w http.ResponseWriter, r *http.Request, res resource,
	p *playlists.Principal) (done playlists.Written, err error) {
	key, of, err := s.target(r, res)
	claims := res.OwnField && playlists.IsNotFound(err) // a new thing says in its body whose it is
	if claims {
		err = nil
	} else if err == nil && !p.MayWrite(res.Kind, of) {
		err = s.refused(p, res.Kind, of, key.ID)
	}
	if err != nil {
		return done, hide(err, res.Kind, key.ID)
	}
	data, err := body(w, r)
	if err != nil {
		return done, err
	}
	t := res.New()
	invalid := s.readThing(data, t, res, r.PathValue("owner"), key)
	switch {
	case claims:
		if err := s.mayClaim(p, res.Kind, t.Of(), key.ID, invalid); err != nil {
			return done, err
		}
	case invalid == nil && res.OwnField && t.Of() != of:
		invalid = &playlists.Error{Code: playlists.Invalid, Field: res.Plural + "/" + key.ID + ".owner", Value: t.Of(),
			Key: "owner-differs", Args: []any{playlists.Word(res.Kind)}}
	}
	if invalid != nil {
		return done, invalid
	}
	version, err := expected(r)
	if err != nil {
		return done, err
	}
	waive, err := override(r)
	if err != nil {
		return done, err
	}
	return s.objects.Put(r.Context(), p, t, version, waive)
}

// readThing reads a thing strictly. The path's names stand in for what the body
// leaves out, and must be the body's own.
func (s *Server) readThing(data []byte, t playlists.Thing, res resource, owner string, key playlists.Key) error {
	where := res.Plural + "/" + key.ID
	return parse(data, t, where, func() error {
		t.Complete(owner, key.ID)
		if err := sameID(t.Key().ID, key.ID, res.Plural); err != nil {
			return err
		}
		return sameID(t.Key().Owner, key.Owner, where+".owner")
	}, t.Validate)
}

// mayClaim rejects a new thing that belongs to somebody for whom p may not put
// any. That comes before what is wrong with the thing: whose names are taken is
// nobody's business. A thing that says of nobody that it is theirs counts as
// p's own.
func (s *Server) mayClaim(p *playlists.Principal, kind playlists.Kind, claimed, id string, invalid error) error {
	if claimed == "" && invalid != nil {
		claimed = p.Owner
	}
	switch {
	case p.MayWrite(kind, claimed):
		return nil
	case p.MayWrite(kind, p.Owner):
		return notThere("owners", claimed)
	}
	return s.refused(p, kind, p.Owner, id)
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
	return &playlists.Error{Code: playlists.Denied, Field: string(kind), Value: id,
		Key: "role-not-allowed", Args: []any{playlists.Word(p.Role), playlists.Word(p.Owner)}}
}

func (s *Server) remove(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.who(w, r)
		if p == nil {
			return
		}
		key, of, err := s.target(r, res)
		if err == nil && !p.MayWrite(res.Kind, of) {
			err = s.refused(p, res.Kind, of, key.ID)
		}
		var want int64
		if err == nil {
			want, err = expected(r)
		}
		if err == nil {
			err = s.objects.Delete(r.Context(), p, key, want)
		}
		if err != nil {
			s.fail(w, r, hide(err, res.Kind, key.ID))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
