package render

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"ledcast/playlists"
)

const bluezone = "HTTPS://WWW.BLUEZONE.GOV.VN"

// qrPages draws the install message on a class and returns its pages with a
// code.
func qrPages(t *testing.T, r *Renderer, class string) []image.Image {
	t.Helper()
	by, _ := defaultContent(t)
	c := mustClass(t, class)
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	lay, err := l.message(by["bluezone-install"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Message(by["bluezone-install"], c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []image.Image
	for i, s := range lay.scenes {
		if s.card == nil || s.card.qr == nil {
			continue
		}
		img, err := DecodeFrame(a.Frames[a.Steps[i].Frame].Data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, img)
	}
	return out
}

var qrClasses = []string{"128x64-rgb", "192x96-rgb", "320x160-rgb", "160x256-rgb", "1920x1080-rgb"}

// gozxing, another's decoder, reads every code from the frame and from the
// picture of round LEDs.
func TestGozxingReadsCodes(t *testing.T) {
	r := mustNew(t)
	for _, class := range qrClasses {
		pages := qrPages(t, r, class)
		if len(pages) == 0 {
			t.Errorf("%s has room for a code and shows none", class)
		}
		c := mustClass(t, class)
		for i, img := range pages {
			views := map[string]image.Image{"frame": img}
			for _, cell := range []int{4, 5, 6, 8} {
				if max(c.W, c.H)*cell <= 1600 {
					views[fmt.Sprintf("LEDs of %d", cell)] = LED(img, c, cell)
				}
			}
			for view, v := range views {
				b, err := gozxing.NewBinaryBitmapFromImage(v)
				if err != nil {
					t.Fatal(err)
				}
				got, err := qrcode.NewQRCodeReader().Decode(b,
					map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
				if err != nil {
					t.Errorf("%s page %d, %s: %v", class, i, view, err)
				} else if got.GetText() != bluezone {
					t.Errorf("%s page %d, %s: read %q", class, i, view, got.GetText())
				}
			}
		}
	}
}

func TestZbarReadsCodes(t *testing.T) {
	tool := needReader(t, "zbarimg")
	r := mustNew(t)
	for _, class := range qrClasses {
		c := mustClass(t, class)
		for i, img := range qrPages(t, r, class) {
			views := map[string]image.Image{"frame": img}
			for _, cell := range []int{4, 5, 6, 8} {
				if max(c.W, c.H)*cell <= 1600 {
					views[fmt.Sprintf("LEDs of %d", cell)] = LED(img, c, cell)
				}
			}
			for view, v := range views {
				name := filepath.Join(t.TempDir(), "x.png")
				if err := os.WriteFile(name, pngOf(t, v), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), tool, "--raw", "-q", name).Output()
				if err != nil || strings.TrimSpace(string(out)) != bluezone {
					t.Errorf("%s page %d, %s: read %q, %v", class, i, view, out, err)
				}
			}
		}
	}
}

func TestCodesOnlyWhereTheyAreRead(t *testing.T) {
	r := mustNew(t)
	by, _ := defaultContent(t)
	for _, class := range []string{"64x32-red", "64x32-rgb", "128x64-red", "192x96-amber", "128x64-redgreen",
		"96x48-rgb"} {
		if n := len(qrPages(t, r, class)); n != 0 {
			t.Errorf("%s shows %d codes", class, n)
		}
		// The address stands in for it, and then nothing is amiss.
		a, err := r.Message(by["bluezone-install"], mustClass(t, class), Options{})
		if err != nil || len(a.Findings) != 0 {
			t.Errorf("%s: %+v, %v", class, a.Findings, err)
		}
	}
	m := *by["bluezone-install"]
	m.Address = ""
	a, err := r.Message(&m, mustClass(t, "64x32-red"), Options{})
	if err != nil || len(a.Findings) != 1 || a.Findings[0].Code != "qr" {
		t.Errorf("a code without an address on 64x32-red: %+v, %v", a.Findings, err)
	}
	only := &playlists.Message{ID: "only", Owner: playlists.Public, QR: bluezone}
	_, err = r.Message(only, mustClass(t, "64x32-red"), Options{})
	refused(t, err, "qr", "cannot be shown")
}

// At least 2 LEDs a module, and the quiet zone that the face's height asks.
func TestCodesKeepTheRules(t *testing.T) {
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	code, err := encodeQR(bluezone)
	if err != nil {
		t.Fatal(err)
	}
	if code.Size != 25 {
		t.Errorf("the code has %d modules, want 25: capitals fit version 2", code.Size)
	}
	for class, want := range map[string]string{"128x64-rgb": "2/2", "160x80-rgb": "2/4", "320x160-rgb": "4/4",
		"64x64-rgb": "none", "72x144-rgb": "2/4", "64x128-rgb": "none"} {
		c := mustClass(t, class)
		l := &layouter{fonts: f, class: c, style: styleOf(c)}
		got := "none"
		if q := l.placeQR(code, l.full()); q != nil {
			got = fmt.Sprintf("%d/%d", q.module, q.quiet)
			if q.x < 0 || q.y < 0 || q.x+q.side() > c.W || q.y+q.side() > c.H {
				t.Errorf("%s: the code is off the face", class)
			}
		}
		if got != want {
			t.Errorf("%s: modules/quiet zone %s, want %s", class, got, want)
		}
	}
}
