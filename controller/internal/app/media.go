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
	m, err := get[playlists.Medium](context.Background(), p.a.store, string(playlists.KindMedia), owner, id)
	if missing(err) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "image.media", Value: id, Problem: "is no picture that was uploaded", Remedy: "upload it under this name"}
	}
	if err != nil {
		return nil, err
	}
	return p.a.uploads.Get(owner, m.SHA256)
}

func (p pictures) Put(ctx context.Context, who *playlists.Principal, owner, id string, data []byte, expected int64) (*playlists.Medium, int64, error) {
	if err := p.a.exists(ctx, kindOwner, "", owner, "media/"+id+".owner"); err != nil {
		return nil, 0, err
	}
	up, err := p.a.uploads.Put(owner, id, data)
	if err != nil {
		return nil, 0, err
	}
	m := &playlists.Medium{ID: id, Owner: owner, SHA256: up.ID, Type: up.Type, W: up.W, H: up.H, Frames: up.Frames, Len: up.Len}
	var old *playlists.Medium
	var version int64
	err = p.a.write(func() (err error) {
		old, err = p.decide(ctx, who, m)
		return err
	}, func() error {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		version, err = p.a.store.Audit().Change(ctx, store.Change{Expected: expected, By: actor(who, p.a.now()),
			Object: store.Object{Kind: string(playlists.KindMedia), Owner: owner, ID: id, Data: text, UpdatedMS: p.a.now().UnixMilli()}})
		return err
	})
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

// decide refuses a picture that its owner has no room for, or that a message
// which shows it could not be drawn with. It returns the one that it replaces.
func (p pictures) decide(ctx context.Context, who *playlists.Principal, m *playlists.Medium) (old *playlists.Medium, err error) {
	old, err = get[playlists.Medium](ctx, p.a.store, string(playlists.KindMedia), m.Owner, m.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	if old == nil {
		err = p.a.room(ctx, playlists.KindMedia, m.Owner, m.Owner, m.ID)
	} else {
		err = p.a.officer(ctx, who, playlists.KindMedia, m.Owner, m.ID, nil, m)
	}
	if err == nil {
		err = p.a.roomForBytes(ctx, m.Owner, m.ID, m.Len)
	}
	if err != nil || old == nil || old.SHA256 == m.SHA256 {
		return old, err
	}
	by, err := p.a.usersOf(ctx, m.Owner, m.ID)
	if err != nil {
		return nil, err
	}
	with := p.a.artist.with(func(owner, id string) ([]byte, error) {
		if owner == m.Owner && id == m.ID {
			return p.a.uploads.Get(owner, m.SHA256)
		}
		return p.lookup(owner, id)
	})
	for _, id := range by {
		message, err := get[playlists.Message](ctx, p.a.store, kindMessage, m.Owner, id)
		if err == nil {
			_, err = p.a.readable(ctx, with, message, &api.Override{}) // its words are as far away as they were
		}
		if err != nil {
			return nil, err
		}
	}
	return old, nil
}

func (p pictures) Info(ctx context.Context, owner, id string) (*playlists.Medium, []string, int64, error) {
	o, err := p.a.store.Objects().Get(ctx, string(playlists.KindMedia), owner, id)
	if err != nil {
		return nil, nil, 0, err
	}
	m := &playlists.Medium{}
	if err := json.Unmarshal(o.Data, m); err != nil {
		return nil, nil, 0, err
	}
	usedBy, err := p.a.usersOf(ctx, owner, id)
	return m, usedBy, o.Version, err
}

func (p pictures) File(ctx context.Context, owner, id string) ([]byte, string, error) {
	m, err := get[playlists.Medium](ctx, p.a.store, string(playlists.KindMedia), owner, id)
	if err != nil {
		return nil, "", err
	}
	data, err := p.a.uploads.Get(owner, m.SHA256)
	return data, m.Type, err
}

// Thumb is the first picture of a message of nothing but this image.
func (p pictures) Thumb(ctx context.Context, owner, id string, c playlists.Class) ([]byte, error) {
	if _, _, _, err := p.Info(ctx, owner, id); err != nil {
		return nil, err
	}
	art, err := p.a.artist.Artwork(ctx, &playlists.Message{ID: id, Owner: owner, Image: &playlists.Image{Media: id}}, c, playlists.Pictures)
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
		var m playlists.Medium
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
