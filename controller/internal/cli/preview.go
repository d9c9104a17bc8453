package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
	"ledcast/render"
)

type previewFlags struct {
	class, text, qr, theme, message, image, out string
	led, terminal, noScroll                     bool
	distance, pitch                             float64 // metres, millimetres
}

// newPreview makes the command that draws a message for a class of sign.
func newPreview(e *env) *cobra.Command {
	var f previewFlags
	c := &cobra.Command{
		Use:   "preview --class 128x64-rgb (--text TEXT | --message FILE | --image FILE) --out x.png",
		Short: "Draw a message as a class of sign shows it",
		Long: "preview writes exactly the pixels that a sign of the class would get.\n" +
			"Several pages become x-1.png, x-2.png and so on, or one GIF that plays as the sign does.\n" +
			"It prints what does not fit, and why, on standard error.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(e, c) },
	}
	p := c.Flags()
	p.StringVar(&f.class, "class", "", "the kind of face, <W>x<H>-<colour>, e.g. 128x64-rgb")
	p.StringVar(&f.text, "text", "", "draw this text and nothing else")
	p.StringVar(&f.qr, "qr", "", "a QR code beside the text; capitals make smaller codes")
	p.StringVar(&f.theme, "theme", "", "colours: a theme's name, or ground/letters as RRGGBB/RRGGBB")
	p.StringVar(&f.message, "message", "", "draw the message in this YAML file")
	p.StringVar(&f.image, "image", "", "draw this picture (PNG, JPEG, GIF or WebP)")
	p.StringVar(&f.out, "out", "", "the file to write, x.png or x.gif")
	p.BoolVar(&f.led, "led", false, "draw round LEDs, as seen from the street")
	p.Float64Var(&f.distance, "distance", 0, "draw it as small as it is from so many metres; needs --pitch")
	p.Float64Var(&f.pitch, "pitch", 0, "millimetres between LEDs, with --distance")
	p.BoolVar(&f.noScroll, "no-scroll", false, "pages only, as for a sign that may not scroll")
	p.BoolVar(&f.terminal, "terminal", false, "draw in the terminal instead of a file")
	return c
}

func (f *previewFlags) run(e *env, c *cobra.Command) error {
	need := []string{"class", "out"}
	if f.terminal {
		need = need[:1]
	}
	if err := required(c.Flags(), need...); err != nil {
		return err
	}
	given := 0
	for _, n := range []string{"text", "message", "image"} {
		if c.Flags().Changed(n) {
			given++
		}
	}
	if given != 1 {
		return usagef("give one of --text, --message and --image", "preview needs something to draw")
	}
	for _, n := range []string{"qr", "theme"} {
		if c.Flags().Changed(n) && c.Flags().Changed("message") {
			return usagef("write it in the file", "--%s does not go with --message", n)
		}
	}
	if c.Flags().Changed("distance") != c.Flags().Changed("pitch") || c.Flags().Changed("distance") &&
		(f.distance < 1 || f.pitch < 0.5) {
		return usagef("e.g. --distance 60 --pitch 10", "--distance in metres and --pitch in millimetres go together")
	}
	ext := strings.ToLower(filepath.Ext(f.out))
	if !f.terminal && ext != ".png" && ext != ".gif" {
		return usagef("end it in .png or .gif", "--out %q is neither a PNG nor a GIF", f.out)
	}
	class, err := playlists.ParseClass(f.class)
	if err != nil {
		return err
	}
	msgs, err := f.messages()
	if err != nil {
		return err
	}
	r, err := render.New()
	if err != nil {
		return err
	}
	var pages []page
	for _, m := range msgs {
		a, err := r.Message(m, class, render.Options{Media: f.media, Motion: motion(f.noScroll)})
		if err != nil {
			return in(f.message, err)
		}
		for _, x := range a.Findings {
			fmt.Fprintf(e.err, "%s: %s %s\n", x.Level, x.Text.EN, x.Remedy.EN)
		}
		p, err := f.pages(a, class, ext == ".gif")
		if err != nil {
			return err
		}
		pages = append(pages, p...)
	}
	if f.terminal {
		return printPages(e.out, pages, class)
	}
	if ext == ".gif" {
		return write(f.out, func() ([]byte, error) { return encodeGIF(pages) })
	}
	for i, p := range pages {
		name := f.out
		if len(pages) > 1 {
			name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(f.out, filepath.Ext(f.out)), i+1, filepath.Ext(f.out))
		}
		if err := write(name, p.png); err != nil {
			return err
		}
	}
	return nil
}

// messages returns the messages to draw.
func (f *previewFlags) messages() ([]*playlists.Message, error) {
	if f.message == "" {
		m := &playlists.Message{ID: "preview", Owner: "preview", Theme: f.theme, QR: f.qr}
		switch {
		case f.image != "":
			m.Image = &playlists.Image{Media: f.image}
		case strings.TrimSpace(f.text) == "":
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "text", Value: f.text, Key: "text-empty"}
		default:
			m.Variants = []playlists.Variant{{Lang: "vi", Body: f.text}}
		}
		return []*playlists.Message{m}, nil
	}
	data, err := readFile(f.message)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse(f.message, data)
	if err != nil {
		return nil, err
	}
	out := manifest.All[*playlists.Message](m)
	if len(out) == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, File: f.message, Key: "no-message-document"}
	}
	return out, nil
}

// media reads the picture of a message: a file beside the document, or the path in
// the flag.
func (f *previewFlags) media(id string) ([]byte, error) {
	if f.message != "" {
		id = filepath.Join(filepath.Dir(f.message), filepath.Base(id))
	}
	return readFile(id)
}

// in adds the file to a domain error without one.
func in(file string, err error) error {
	var e *playlists.Error
	if file != "" && errors.As(err, &e) {
		return e.At(file, 0)
	}
	return err
}

// readFile reads a file that the user named.
func readFile(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, &playlists.Error{Code: playlists.NotFound, File: name,
			Key: "file-unreadable", Args: []any{playlists.Word(cause(err))}}
	}
	return data, nil
}

// write writes a whole file.
func write(name string, data func() ([]byte, error)) error {
	b, err := data()
	if err == nil {
		err = os.WriteFile(name, b, 0o644)
	}
	if err != nil {
		return &playlists.Error{Code: playlists.Invalid, File: name, Key: "file-not-written", Args: []any{cause(err)}}
	}
	return nil
}

// cause returns an error without the path, which the message already names.
func cause(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// motion is what may move, by the flag --no-scroll.
func motion(noScroll bool) playlists.Motion {
	if noScroll {
		return playlists.Stills
	}
	return playlists.Scrolls
}
