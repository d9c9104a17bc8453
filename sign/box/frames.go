package box

import (
	"container/list"
	"fmt"

	"ledcast/playlists/timeline"
	"ledcast/sign/player"
	"ledcast/sign/wire"
)

// stripBudget bounds the decoded pixels that a box keeps in memory.
const stripBudget = 12 << 20

// frameCache holds the frames on disk, and some of them decoded. It checks a frame's digest at every read: only what
// was accepted gets to the face.
type frameCache struct {
	disk   *disk
	class  string
	w, h   int
	cap    int64
	sizes  map[string]int64 // on disk, by digest
	total  int64
	age    map[string]int64 // last use, a counter
	uses   int64
	strips map[string]*list.Element
	order  *list.List // of *decoded, newest first
	bytes  int
	held   map[string][]byte // frames of alerts that could not be written
}

// mostHeld bounds what is held in memory: the frames of all alerts of a class, live and test.
const mostHeld = 4 << 20

type decoded struct {
	key   string
	strip *player.Strip
}

func newFrameCache(d *disk, class string, w, h int, most int64) (*frameCache, error) {
	sizes, err := d.frames()
	if err != nil {
		return nil, err
	}
	c := &frameCache{disk: d, class: class, w: w, h: h, cap: most, sizes: sizes, age: map[string]int64{},
		strips: map[string]*list.Element{}, order: list.New(),
		held: map[string][]byte{}}
	for _, n := range sizes {
		c.total += n
	}
	return c, nil
}

// has reports whether the cache holds a file of f's digest and length, or has it in memory.
func (c *frameCache) has(f *timeline.Frame) bool {
	if data, ok := c.held[f.SHA256]; ok {
		return int64(len(data)) == f.Len
	}
	return c.sizes[f.SHA256] == f.Len
}

// hold keeps a checked frame of an alert in memory, because it could not be written. It reports false where there is no
// room.
func (c *frameCache) hold(sha string, data []byte, needed func(sha string) bool) bool {
	sum := len(data)
	for k, v := range c.held {
		if !needed(k) && k != sha {
			delete(c.held, k)
			continue
		}
		sum += len(v)
	}
	if sum > mostHeld {
		return false
	}
	c.held[sha] = data
	return true
}

func (c *frameCache) read(sha string) ([]byte, error) {
	if data, ok := c.held[sha]; ok {
		return data, nil
	}
	return c.disk.frame(sha)
}

// verify reads a frame and makes every check of it.
func (c *frameCache) verify(f *timeline.Frame) error {
	data, err := c.read(f.SHA256)
	if err != nil {
		return err
	}
	_, err = wire.OpenFrame(data, f, c.class)
	return err
}

// put stores a frame that was checked.
func (c *frameCache) put(f *timeline.Frame, data []byte, needed func(sha string) bool) error {
	if err := c.disk.putFrame(f.SHA256, data); err != nil {
		return err
	}
	delete(c.held, f.SHA256)
	c.total += int64(len(data)) - c.sizes[f.SHA256]
	c.sizes[f.SHA256] = int64(len(data))
	c.use(f.SHA256)
	c.evict(needed)
	return nil
}

// evict removes the frames that were used longest ago until the cache is within its cap. It never removes what is
// needed.
func (c *frameCache) evict(needed func(sha string) bool) {
	for c.total > c.cap {
		oldest, at := "", int64(0)
		for sha := range c.sizes {
			if !needed(sha) && (oldest == "" || c.age[sha] < at) {
				oldest, at = sha, c.age[sha]
			}
		}
		if oldest == "" {
			return
		}
		c.remove(oldest)
	}
}

func (c *frameCache) use(sha string) {
	c.uses++
	c.age[sha] = c.uses
}

func (c *frameCache) remove(sha string) {
	delete(c.held, sha)
	c.disk.removeFrame(sha)
	c.total -= c.sizes[sha]
	delete(c.sizes, sha)
	delete(c.age, sha)
	c.forget(sha)
}

// forget drops the decoded forms of a frame.
func (c *frameCache) forget(sha string) {
	for _, axis := range []string{"", "x", "y"} {
		if e := c.strips[sha+axis]; e != nil {
			c.bytes -= e.Value.(*decoded).strip.Bytes()
			c.order.Remove(e)
			delete(c.strips, sha+axis)
		}
	}
}

// strip returns a frame ready to be drawn.
func (c *frameCache) strip(f *timeline.Frame, scroll *timeline.Scroll) (*player.Strip, error) {
	axis := ""
	if scroll != nil {
		axis = scroll.Axis
	}
	key := f.SHA256 + axis
	if e := c.strips[key]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*decoded).strip, nil
	}
	if !c.has(f) {
		return nil, fmt.Errorf("frame %s is not in the cache", f.SHA256)
	}
	data, err := c.read(f.SHA256)
	if err != nil {
		return nil, err
	}
	img, err := wire.OpenFrame(data, f, c.class)
	if err != nil {
		return nil, err
	}
	c.use(f.SHA256)
	s := player.NewStrip(img, c.w, c.h, axis)
	c.strips[key] = c.order.PushFront(&decoded{key: key, strip: s})
	c.bytes += s.Bytes()
	for c.bytes > stripBudget && c.order.Len() > 1 {
		e := c.order.Back()
		d := e.Value.(*decoded)
		c.order.Remove(e)
		delete(c.strips, d.key)
		c.bytes -= d.strip.Bytes()
	}
	return s, nil
}
