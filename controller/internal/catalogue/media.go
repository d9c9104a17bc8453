package catalogue

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io/fs"
	"log/slog"

	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/artwork"
	"ledcast/playlists"
	"ledcast/render"
)

// Media keeps the pictures that owners upload: a name and a digest in the store,
// the file under its digest in a folder.
type Media struct {
	writer  *Writer
	uploads *artwork.Uploads
	artist  *artwork.Cache
	log     *slog.Logger
}

// NewMedia keeps pictures in uploads.
func NewMedia(w *Writer, uploads *artwork.Uploads, artist *artwork.Cache, log *slog.Logger) *Media {
	return &Media{writer: w, uploads: uploads, artist: artist, log: log}
}

// Lookup returns an artwork.Media that finds a message's picture by its name.
func Lookup(r *Reader, uploads *artwork.Uploads) artwork.Media {
	return func(owner, id string) ([]byte, error) {
		s, err := r.Snapshot(context.Background())
		if err != nil {
			return nil, err
		}
		m, ok := playlists.Find[*playlists.Medium](s, mediumKey(owner, id))
		if !ok {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "image.media", Value: id,
				Key: "media-not-uploaded"}
		}
		return uploads.Get(owner, m.SHA256)
	}
}

func mediumKey(owner, id string) playlists.Key {
	return playlists.Key{Kind: playlists.KindMedia, Owner: owner, ID: id}
}

// Put checks, cleans and keeps a picture under a name.
func (m *Media) Put(ctx context.Context, who *playlists.Principal, owner, id string, data []byte,
	expected int64) (*playlists.Medium, int64, error) {
	up, err := m.uploads.Put(owner, id, data)
	if err != nil {
		return nil, 0, err
	}
	medium := &playlists.Medium{ID: id, Owner: owner, SHA256: up.ID, Type: up.Type, W: up.W, H: up.H, Frames: up.Frames,
		Len: up.Len}
	with := m.artist.With(func(o, i string) ([]byte, error) {
		if o == owner && i == id {
			return m.uploads.Get(owner, medium.SHA256)
		}
		return Lookup(m.writer.reader, m.uploads)(o, i)
	})
	w, err := m.writer.put(ctx, who, admission.Change{Key: medium.Key(), Thing: medium, Picture: with}, expected, false)
	if err != nil {
		m.DropFile(ctx, owner, up.ID) // unless another name has it
		return nil, 0, err
	}
	return medium, w.Version, nil
}

// Info returns a picture and the ids of the owner's messages that show it.
func (m *Media) Info(ctx context.Context, owner, id string) (*playlists.Medium, []string, int64, error) {
	stored, err := m.writer.Get(ctx, mediumKey(owner, id))
	if err != nil {
		return nil, nil, 0, err
	}
	s, err := m.writer.reader.Snapshot(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	medium, ok := playlists.Find[*playlists.Medium](s, stored.Key)
	if !ok { // deleted in between
		return nil, nil, 0, &playlists.Error{Code: playlists.NotFound, Field: "media/" + id, Key: "not-found"}
	}
	var usedBy []string
	for by := range s.UsedBy(stored.Key) {
		usedBy = append(usedBy, by.Key().ID)
	}
	return medium, usedBy, stored.Version, nil
}

// File is a picture as it is kept.
func (m *Media) File(ctx context.Context, owner, id string) ([]byte, string, error) {
	medium, _, _, err := m.Info(ctx, owner, id)
	if err != nil {
		return nil, "", err
	}
	data, err := m.uploads.Get(owner, medium.SHA256)
	return data, medium.Type, err
}

// Thumb is the first picture of a message of nothing but this image, as a PNG.
func (m *Media) Thumb(ctx context.Context, owner, id string, c playlists.Class) ([]byte, error) {
	if _, _, _, err := m.Info(ctx, owner, id); err != nil {
		return nil, err
	}
	art, err := m.artist.Artwork(ctx, &playlists.Message{ID: id, Owner: owner, Image: &playlists.Image{Media: id}}, c,
		playlists.Pictures)
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

// DropFile removes a picture's file unless a name of the owner still has it.
func (m *Media) DropFile(ctx context.Context, owner, sha string) {
	s, err := m.writer.reader.Snapshot(ctx)
	if err == nil {
		for _, x := range playlists.All[*playlists.Medium](s, playlists.KindMedia) {
			if x.Owner == owner && x.SHA256 == sha {
				return
			}
		}
		err = m.uploads.Remove(owner, sha)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !playlists.IsNotFound(err) {
		m.log.Warn("an unused picture could not be removed", "owner", owner, "sha256", sha, "err", err)
	}
}
