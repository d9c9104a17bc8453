// Package artwork draws messages for each class of sign, caches the results, and stores the pictures that owners
// upload.
//
// The key of an artwork is a digest of everything that determines its pixels, including the bytes of its picture.
// So ten thousand signs of one class share one drawing, and a message that is saved again unchanged is not drawn
// again.
package artwork

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"ledcast/playlists"
	"ledcast/render"
)

// Media returns an owner's uploaded picture by its ID.
type Media func(owner, id string) ([]byte, error)

// Cache draws artworks and caches the most recently used. It is safe for concurrent use. Concurrent callers with
// the same key wait for one drawing.
type Cache struct {
	renderer *render.Renderer
	media    Media
	maxBytes int64

	mu    sync.Mutex
	by    map[key]*entry
	order *list.List // of *entry that are drawn, most recently used first
	bytes int64
	drawn int64
}

type key [sha256.Size]byte

type entry struct {
	key   key
	ready chan struct{} // closed when art or err is set
	art   *playlists.Artwork
	err   error
	size  int64
	at    *list.Element
}

// New returns a cache of about maxBytes of frames. media may be nil if messages have no pictures.
func New(r *render.Renderer, media Media, maxBytes int64) *Cache {
	return &Cache{renderer: r, media: media, maxBytes: maxBytes, by: map[key]*entry{}, order: list.New()}
}

// Artwork returns the artwork of m for a class. The result is shared and must not be changed. If ctx ends first,
// Artwork returns its error, but the drawing continues and is cached. Errors are not cached.
func (c *Cache) Artwork(ctx context.Context, m *playlists.Message, class playlists.Class,
	motion playlists.Motion) (*playlists.Artwork, error) {
	var picture []byte
	if m.Image != nil && c.media != nil {
		var err error
		if picture, err = c.media(m.Owner, m.Image.Media); err != nil {
			return nil, err
		}
	}
	k, err := keyOf(m, class, motion, picture)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	e := c.by[k]
	if e != nil {
		if e.at != nil {
			c.order.MoveToFront(e.at)
		}
		c.mu.Unlock()
	} else {
		e = &entry{key: k, ready: make(chan struct{})}
		c.by[k] = e
		c.mu.Unlock()
		go c.draw(e, clone(m), class, motion, picture)
	}
	select {
	case <-e.ready:
		return e.art, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// With returns a small cache with the same renderer that gets pictures from media.
func (c *Cache) With(media Media) *Cache { return New(c.renderer, media, c.maxBytes/64) }

// clone copies a message, because the caller may change it during drawing.
func clone(m *playlists.Message) *playlists.Message {
	n := *m
	n.Variants = slices.Clone(m.Variants)
	if m.Image != nil {
		img := *m.Image
		n.Image = &img
	}
	return &n
}

func (c *Cache) draw(e *entry, m *playlists.Message, class playlists.Class, motion playlists.Motion, picture []byte) {
	ro := render.Options{Motion: motion}
	if picture != nil {
		ro.Media = func(string) ([]byte, error) { return picture, nil }
	}
	art, err := c.renderer.Message(m, class, ro)
	if err == nil {
		err = measure(art, class)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.art, e.err = art, err
	c.drawn++
	close(e.ready)
	if err != nil {
		delete(c.by, e.key)
		return
	}
	for i := range art.Frames {
		e.size += art.Frames[i].Len
	}
	e.size += 1024 // an estimate for steps and findings
	e.at = c.order.PushFront(e)
	c.bytes += e.size
	for c.bytes > c.maxBytes && c.order.Len() > 1 {
		last := c.order.Back()
		old := last.Value.(*entry)
		c.order.Remove(last)
		delete(c.by, old.key)
		c.bytes -= old.size
	}
}

// measure sets art.Level to the average picture level of the brightest frame.
func measure(art *playlists.Artwork, class playlists.Class) error {
	for i := range art.Frames {
		img, err := render.DecodeFrame(art.Frames[i].Data)
		if err != nil {
			return fmt.Errorf("cannot decode a drawn frame: %w", err)
		}
		art.Level = max(art.Level, render.APL(img, class))
	}
	return nil
}

// Stats returns metrics: the number of cached artworks, the bytes of their frames, and the number of drawings since
// the start.
func (c *Cache) Stats() (kept int, bytes, drawn int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len(), c.bytes, c.drawn
}

// keyOf returns a digest of everything that determines the artwork. It excludes the message's ID, campaign and
// source, which are not drawn.
func keyOf(m *playlists.Message, class playlists.Class, motion playlists.Motion, picture []byte) (key, error) {
	seen := *m
	seen.ID, seen.Campaign, seen.Source = "", "", nil
	b, err := json.Marshal(struct {
		Message *playlists.Message
		Class   playlists.Class
		Motion  playlists.Motion
		Picture [sha256.Size]byte
	}{&seen, class, motion, sha256.Sum256(picture)})
	if err != nil {
		return key{}, fmt.Errorf("artwork of %s/%s: %w", m.Owner, m.ID, err)
	}
	return sha256.Sum256(b), nil
}
