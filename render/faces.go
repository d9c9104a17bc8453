package render

import (
	"fmt"
	"sync"
	"sync/atomic"

	"ledcast/assets"
)

// maxGlyphBytes is how much drawn letters may take before they are all
// forgotten. The default content on eight classes needs about 2 MB.
const maxGlyphBytes = 24 << 20

// fonts is every family, and every face in use.
type fonts struct {
	beVietnam, barlow *family
	pixel             []*family // largest first
	all               []*family // in the order in which they are preferred at equal height

	mu    sync.RWMutex
	faces map[faceKey]*face
	bytes *atomic.Int64
}

type faceKey struct {
	fam *family
	px  int
}

func newFonts() (*fonts, error) {
	f := &fonts{faces: map[faceKey]*face{}, bytes: new(atomic.Int64)}
	var err error
	// FACTS.md: the smallest em at which every pair of letters that share a base
	// letter differs by at least 3 pixels, lit or not lit as antialiased.
	// TestLettersDiffer measures it again.
	if f.beVietnam, err = newOutline("Be Vietnam Pro Bold", assets.BeVietnamProBold, 16, 20); err != nil {
		return nil, err
	}
	f.beVietnam.leeway = 80
	if f.barlow, err = newOutline("Barlow Condensed Bold", assets.BarlowCondensedBold, 20, 20); err != nil {
		return nil, err
	}
	for i := len(assets.GalmuriSizes) - 1; i >= 0; i-- {
		size := assets.GalmuriSizes[i]
		p, err := assets.Galmuri(size)
		if err != nil {
			return nil, fmt.Errorf("font Galmuri%d: %w", size, err)
		}
		if size >= 11 {
			// A stroke of one pixel is thin for this height, beside the outline
			// fonts' two to three: struck twice where there is room.
			f.pixel = append(f.pixel, newPixel(fmt.Sprintf("Galmuri%d doubled", size), size, p.Doubled()))
		}
		f.pixel = append(f.pixel, newPixel(fmt.Sprintf("Galmuri%d", size), size, p))
	}
	f.all = append([]*family{f.beVietnam, f.barlow}, f.pixel...)
	return f, nil
}

// face returns a family at an em of px pixels.
func (f *fonts) face(fam *family, px int) *face {
	k := faceKey{fam, px}
	f.mu.RLock()
	c := f.faces[k]
	f.mu.RUnlock()
	if c != nil {
		return c
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c = f.faces[k]; c != nil {
		return c
	}
	if f.bytes.Load() > maxGlyphBytes {
		// Simple and rare. Who still holds a face goes on using it.
		clear(f.faces)
		f.bytes.Store(0)
	}
	c = &face{fam: fam, px: px, glyphs: make([]atomic.Pointer[glyph], len(fam.adv)), budget: f.bytes}
	f.faces[k] = c
	return c
}

// ladder is the ems in pixels that a layout chooses from, smallest first.
// Steps of about one in sixteen: closer ones are not told apart from the road,
// and would fill the glyph cache.
var ladder = func() []int {
	var l []int
	for px := 16; px <= 4096; px += max(1, px/16) {
		l = append(l, px)
	}
	return l
}()

// sizes are the ems that may be chosen for the family, smallest first.
func (f *family) sizes() []int {
	if f.pixel != nil {
		return []int{f.units}
	}
	for i, px := range ladder {
		if px >= f.safe {
			return ladder[i:]
		}
	}
	return nil
}
