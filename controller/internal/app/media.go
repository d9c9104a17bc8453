package app

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/artwork"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/render"
)

// pictures is what owners uploaded: a name and a digest in the store, the file
// under its digest in a folder.
type pictures struct{ a *App }

// lookup finds a message's picture by its name.
func (p pictures) lookup(owner, id string) ([]byte, error) {
	m, err := get[api.Medium](context.Background(), p.a.store, string(playlists.KindMedia), owner, id)
	if missing(err) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "image.media", Value: id, Problem: "is no picture that was uploaded", Remedy: "upload it under this name"}
	}
	if err != nil {
		return nil, err
	}
	return p.a.uploads.Get(owner, m.SHA256)
}

func (p pictures) Put(ctx context.Context, who *playlists.Principal, owner, id string, data []byte, expected int64) (*api.Medium, int64, error) {
	if err := p.a.exists(ctx, kindOwner, "", owner, "media/"+id+".owner"); err != nil {
		return nil, 0, err
	}
	up, err := p.a.uploads.Put(owner, id, data)
	if err != nil {
		return nil, 0, err
	}
	old, err := get[api.Medium](ctx, p.a.store, string(playlists.KindMedia), owner, id)
	if err != nil && !missing(err) {
		return nil, 0, err
	}
	m := &api.Medium{ID: id, Owner: owner, SHA256: up.ID, Type: up.Type, W: up.W, H: up.H, Frames: up.Frames, Len: up.Len}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, 0, err
	}
	version, err := p.a.store.Audit().Change(ctx, store.Change{Expected: expected, By: actor(who, p.a.now()),
		Object: store.Object{Kind: string(playlists.KindMedia), Owner: owner, ID: id, Data: text, UpdatedMS: p.a.now().UnixMilli()}})
	if err != nil {
		p.a.dropFile(ctx, owner, up.ID) // unless another name has it
		return nil, 0, err
	}
	if old != nil && old.SHA256 != m.SHA256 {
		p.a.dropFile(ctx, owner, old.SHA256)
	}
	p.a.Kick()
	return m, version, nil
}

func (p pictures) Info(ctx context.Context, owner, id string) (*api.Medium, int64, error) {
	o, err := p.a.store.Objects().Get(ctx, string(playlists.KindMedia), owner, id)
	if err != nil {
		return nil, 0, err
	}
	m := &api.Medium{}
	if err := json.Unmarshal(o.Data, m); err != nil {
		return nil, 0, err
	}
	m.UsedBy, err = p.a.usersOf(ctx, owner, id)
	return m, o.Version, err
}

func (p pictures) File(ctx context.Context, owner, id string) ([]byte, string, error) {
	m, err := get[api.Medium](ctx, p.a.store, string(playlists.KindMedia), owner, id)
	if err != nil {
		return nil, "", err
	}
	data, err := p.a.uploads.Get(owner, m.SHA256)
	return data, m.Type, err
}

// Thumb is the first picture of a message of nothing but this image.
func (p pictures) Thumb(ctx context.Context, owner, id string, c playlists.Class) ([]byte, error) {
	if _, _, err := p.Info(ctx, owner, id); err != nil {
		return nil, err
	}
	art, err := p.a.artist.Artwork(ctx, &playlists.Message{ID: id, Owner: owner, Image: &playlists.Image{Media: id}}, c, true)
	if err != nil {
		return nil, err
	}
	f := art.Frames[art.Steps[0].Frame]
	if f.Type == "image/png" {
		return f.Data, nil
	}
	img, err := render.DecodeFrame(f.Data)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

// usersOf lists the owner's messages that show a picture.
func (a *App) usersOf(ctx context.Context, owner, id string) ([]string, error) {
	messages, err := a.store.Objects().List(ctx, kindMessage, owner)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, o := range messages {
		var m playlists.Message
		if err := json.Unmarshal(o.Data, &m); err != nil {
			return nil, err
		}
		if m.Image != nil && m.Image.Media == id {
			out = append(out, m.ID)
		}
	}
	return out, nil
}

// dropFile removes a picture's file unless a name of the owner still has it.
func (a *App) dropFile(ctx context.Context, owner, sha string) {
	list, err := a.store.Objects().List(ctx, string(playlists.KindMedia), owner)
	for _, o := range list {
		var m api.Medium
		if err == nil {
			err = json.Unmarshal(o.Data, &m)
		}
		if m.SHA256 == sha {
			return
		}
	}
	if err == nil {
		err = a.uploads.Remove(owner, sha)
	}
	if err != nil && !missing(err) {
		a.log.Warn("a picture that nothing names could not be removed", "owner", owner, "sha256", sha, "err", err)
	}
}

var _ artwork.Media = pictures{}.lookup
