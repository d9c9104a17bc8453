package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"ledcast/playlists"
)

// maxBody bounds a request's body; a message of all its parts is a few KiB.
const maxBody = 1 << 20

// Expected versions that are not a version.
const (
	Absent     int64 = 0  // there must be no such thing yet
	AnyVersion int64 = -1 // whatever is there is replaced
)

// Stored is a thing as it is kept.
type Stored struct {
	Owner   string
	ID      string
	Data    []byte // JSON
	Version int64
}

// Objects keeps what people put in. Each write is checked at the door, written
// under an expected version, and audited, all or nothing.
type Objects interface {
	Get(ctx context.Context, kind playlists.Kind, owner, id string) (Stored, error)
	// List is sorted; owner "*" lists everybody's.
	List(ctx context.Context, kind playlists.Kind, owner string) ([]Stored, error)
	Put(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, value any, expected int64) (version int64, err error)
	Delete(ctx context.Context, who *playlists.Principal, kind playlists.Kind, owner, id string, expected int64) error
}

// Auth says who is asking. An error of code Denied means nobody known: 401.
type Auth interface {
	Principal(r *http.Request) (*playlists.Principal, error)
}

// resource is a kind of thing at its paths.
type resource struct {
	kind  playlists.Kind
	parse func(data []byte, owner, id string) (value any, of string, err error) // of: whom it belongs to
}

func (s *Server) objectRoutes(routes map[string]http.HandlerFunc) {
	add := func(path string, res resource) {
		routes["GET "+path] = s.list(res)
		routes["GET "+path+"/{id}"] = s.get(res)
		routes["PUT "+path+"/{id}"] = s.put(res)
		routes["DELETE "+path+"/{id}"] = s.remove(res)
	}
	add("/api/v1/owners", resource{playlists.KindOwner, func(data []byte, _, id string) (any, string, error) {
		v := &playlists.Owner{}
		err := parse(data, v, "owners/"+id, func() error { return sameID(&v.ID, id, "owners") }, v.Validate)
		return v, id, err
	}})
	add("/api/v1/owners/{owner}/messages", resource{playlists.KindMessage, func(data []byte, owner, id string) (any, string, error) {
		v := &playlists.Message{}
		err := parse(data, v, "messages/"+id, func() error {
			return errors.Join(sameID(&v.ID, id, "messages"), sameID(&v.Owner, owner, "messages/"+id+".owner"))
		}, v.Validate)
		return v, owner, err
	}})
	add("/api/v1/owners/{owner}/playlists", resource{playlists.KindPlaylist, func(data []byte, owner, id string) (any, string, error) {
		v := &playlists.Playlist{}
		err := parse(data, v, "playlists/"+id, func() error {
			return errors.Join(sameID(&v.ID, id, "playlists"), sameID(&v.Owner, owner, "playlists/"+id+".owner"))
		}, v.Validate)
		return v, owner, err
	}})
	sign := resource{playlists.KindSign, func(data []byte, _, id string) (any, string, error) {
		v := &playlists.Sign{}
		err := parse(data, v, "signs/"+id, func() error { return sameID(&v.ID, id, "signs") }, v.Validate)
		return v, v.Owner, err
	}}
	routes["PUT /api/v1/signs/{id}"] = s.put(sign)
	routes["DELETE /api/v1/signs/{id}"] = s.remove(sign)
	routes["GET /api/v1/signs/{id}/spec"] = s.get(sign)
	routes["GET /api/v1/specs/signs"] = s.list(sign) // /signs is the wall's view of them
}

// parse reads JSON strictly: unknown fields and anything behind it are refused
// by name. Then named fills in what the path says, and check is the type's own.
func parse(data []byte, v any, where string, named, check func() error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		var e *playlists.Error
		if errors.As(err, &e) {
			return e
		}
		var typed *json.UnmarshalTypeError
		out := &playlists.Error{Code: playlists.Invalid, Field: where, Problem: "cannot be read: " + strings.TrimPrefix(err.Error(), "json: "),
			Remedy: "GET a thing of this kind to see its fields"}
		if errors.As(err, &typed) {
			out.Field, out.Value = where+"."+typed.Field, typed.Value
		}
		return out
	}
	if err := named(); err != nil {
		return err
	}
	return check()
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
		s.deny(w, err)
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
	case playlists.KindSign:
		sign, err := s.find(r.Context(), id)
		if err != nil {
			return "", "", err
		}
		return "", sign.Owner, nil
	}
	return path, path, nil
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
			case playlists.KindSign:
				var sign playlists.Sign
				if err := json.Unmarshal(it.Data, &sign); err != nil {
					s.fail(w, r, err)
					return
				}
				of = sign.Owner
			}
			if p.MayRead(res.kind, of) {
				out = append(out, it.Data)
			}
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
		if err != nil {
			s.fail(w, r, hide(err, res.kind, id))
			return
		}
		w.Header().Set("ETag", etag(o.Version))
		answer(w, json.RawMessage(o.Data))
	}
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

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// expected reads If-Match and If-None-Match; neither means that whatever is
// there is replaced.
func expected(r *http.Request) (int64, error) {
	if r.Header.Get("If-None-Match") == "*" {
		return Absent, nil
	}
	m := r.Header.Get("If-Match")
	if m == "" || m == "*" {
		return AnyVersion, nil
	}
	v, err := strconv.ParseInt(strings.Trim(m, `"`), 10, 64)
	if err != nil || v < 1 || etag(v) != m {
		return 0, &playlists.Error{Code: playlists.Invalid, Field: "If-Match", Value: m, Problem: "is not a version", Remedy: "send the ETag that GET gave"}
	}
	return v, nil
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
		if res.kind == playlists.KindSign && err != nil {
			fresh, err = true, nil // a new sign: whose it is the body says
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
		if err == nil && claimed != of && !fresh && res.kind == playlists.KindSign {
			err = &playlists.Error{Code: playlists.Invalid, Field: "signs/" + id + ".owner", Value: claimed, Problem: "is not the sign's owner", Remedy: "a sign that changes hands is a new sign"}
		}
		if fresh && !p.MayWrite(res.kind, claimed) {
			// Before the parse error: whose names are taken is nobody's business.
			err = s.refused(p, res.kind, p.Owner, id)
		}
		var want, version int64
		if err == nil {
			want, err = expected(r)
		}
		if err == nil {
			version, err = s.objects.Put(r.Context(), p, res.kind, path, id, value, want)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("ETag", etag(version))
		status := http.StatusOK
		if version == 1 {
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
	return &playlists.Error{Code: playlists.Denied, Field: string(kind), Value: id, Problem: "cannot be changed by the role " + string(p.Role), Remedy: "ask an administrator of " + p.Owner}
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

// body reads a JSON body of bounded size.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "Content-Type", Value: r.Header.Get("Content-Type"), Problem: "is not JSON", Remedy: "send application/json"}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: "body", Problem: "is over the limit of 1 MiB", Remedy: "send things one by one"}
	}
	if err != nil {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "body", Problem: "broke off", Remedy: "send it again"}
	}
	return data, nil
}
