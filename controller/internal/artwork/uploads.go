package artwork

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"

	"ledcast/playlists"
	"ledcast/render"
)

// Uploads stores owners' pictures in a directory. Each owner has a subdirectory, and each file is named by its
// SHA-256. An upload is decoded within limits and encoded again, so that only its pixels are stored. Access is
// confined to the directory by os.Root. Uploads is safe for concurrent use.
type Uploads struct{ root *os.Root }

// Upload describes a stored picture.
type Upload struct {
	ID     string `json:"id"` // for image.media of a message
	Type   string `json:"type"`
	W      int    `json:"w"`
	H      int    `json:"h"`
	Frames int    `json:"frames"` // 1 for a still picture
	Len    int64  `json:"len"`
}

// OpenUploads opens the directory and creates it if it does not exist.
func OpenUploads(dir string) (*Uploads, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	return &Uploads{root}, nil
}

// Close closes the directory.
func (u *Uploads) Close() error { return u.root.Close() }

// Put stores an owner's picture. The format, PNG, JPEG, GIF or WebP, is detected from the content. Equal pictures
// get the same ID. If the picture is rejected, the error is a *playlists.Error that contains name.
func (u *Uploads) Put(owner, name string, data []byte) (*Upload, error) {
	if err := playlists.CheckSlug("owner", owner); err != nil {
		return nil, err
	}
	clean, info, err := render.CleanMedia(name, data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(clean)
	up := &Upload{ID: hex.EncodeToString(sum[:]), Type: info.Type, W: info.W, H: info.H, Frames: info.Frames,
		Len: int64(len(clean))}
	if err := u.root.Mkdir(owner, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("upload of %s: %w", owner, err)
	}
	file := path.Join(owner, up.ID)
	if old, err := u.root.Stat(file); err == nil && old.Size() == up.Len {
		return up, nil
	}
	// Write a temporary file, sync and rename it, so that a crash leaves no partial picture.
	temp := file + ".new"
	f, err := u.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("upload of %s: %w", owner, err)
	}
	_, err = f.Write(clean)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = u.root.Rename(temp, file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("upload of %s: %w", owner, err), u.root.Remove(temp))
	}
	return up, nil
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Get returns an owner's picture. It can be used as a Media. The error is NotFound if the picture does not exist or
// belongs to another owner.
func (u *Uploads) Get(owner, id string) ([]byte, error) {
	name, err := nameOf(owner, id)
	if err != nil {
		return nil, err
	}
	data, err := u.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, fmt.Errorf("upload %s of %s: %w", id, owner, err)
	}
	return data, nil
}

// Remove deletes an owner's picture. The error is NotFound if it does not exist.
func (u *Uploads) Remove(owner, id string) error {
	name, err := nameOf(owner, id)
	if err != nil {
		return err
	}
	err = u.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(id)
	}
	return err
}

// List returns the IDs of an owner's pictures, sorted.
func (u *Uploads) List(owner string) ([]string, error) {
	if err := playlists.CheckSlug("owner", owner); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(u.root.FS(), owner)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("uploads of %s: %w", owner, err)
	}
	var ids []string
	for _, e := range entries {
		if digest.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

func nameOf(owner, id string) (string, error) {
	if err := playlists.CheckSlug("owner", owner); err != nil {
		return "", err
	}
	if !digest.MatchString(id) {
		return "", notFound(id)
	}
	return path.Join(owner, id), nil
}

func notFound(id string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: "image.media", Value: id,
		Key: "picture-not-uploaded"}
}
