package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
	"ledcast/render"
)

// checkClasses are the classes for a file that names no sign, without --class.
var checkClasses = []string{"64x32-red", "96x48-rgb", "128x64-rgb", "192x96-red", "192x96-rgb", "320x160-rgb",
	"1920x1080-rgb"}

type checkFlags struct {
	classes         []string
	format, lang    string
	distance, pitch float64
	power           float64
	noScroll        bool
}

// newCheck makes the command that checks whether messages can be read.
func newCheck(e *env) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check whether messages can be read",
		Long: "check draws every message in the files on each class and reports letters without a glyph, fit,\n" +
			"reading time against the dwell that a playlist in the files gives, letter height against the distance,\n" +
			"the rules for QR codes, contrast and power. It exits with 1 if anything is refused.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("e.g. controller check messages.yaml", "check needs a file")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return f.run(e, c, args) },
	}
	p := c.Flags()
	p.StringSliceVar(&f.classes, "class", nil, "the classes to check on; otherwise those of the signs in the files, "+
		"or the usual ones")
	p.StringVar(&f.format, "format", "text", "text or json")
	p.StringVar(&f.lang, "lang", "en", "language of the findings, vi or en")
	p.Float64Var(&f.distance, "distance", 0, "metres from which it is to be read; needs --pitch")
	p.Float64Var(&f.pitch, "pitch", 0, "millimetres between LEDs, with --distance")
	p.Float64Var(&f.power, "power", 0, "percent of all LEDs at full that the sign's supply carries")
	p.BoolVar(&f.noScroll, "no-scroll", false, "as for signs that may not scroll")
	return c
}

func (f *checkFlags) run(e *env, c *cobra.Command, files []string) error {
	switch {
	case f.format != "text" && f.format != "json":
		return usagef("use text or json", "--format %q is unknown", f.format)
	case f.lang != "vi" && f.lang != "en":
		return usagef("use vi or en", "--lang %q is unknown", f.lang)
	case c.Flags().Changed("distance") != c.Flags().Changed("pitch") || f.distance < 0 || f.pitch < 0:
		return usagef("e.g. --distance 60 --pitch 10", "--distance in metres and --pitch in millimetres go together")
	case f.power < 0 || f.power > 100:
		return usagef("e.g. --power 40", "--power is a percentage")
	}
	all, err := readManifests(files)
	if err != nil {
		return err
	}
	classes, err := f.pick(all)
	if err != nil {
		return err
	}
	r, err := render.New()
	if err != nil {
		return err
	}
	reports := []*render.Report{}
	refused := 0
	for _, m := range all.messages {
		for _, class := range classes {
			rep, err := r.Check(m.Message, class, render.Options{Motion: motion(f.noScroll), Media: m.media},
				render.Wants{DwellMS: all.dwell(m.Message), DistanceM: f.distance, PitchMM: f.pitch,
					Power: f.power / 100})
			if err != nil {
				return in(m.file, err)
			}
			if rep.Refused() {
				refused++
			}
			reports = append(reports, rep)
			if f.format == "text" {
				f.print(e, m.file, rep)
			}
		}
	}
	if f.format == "json" {
		enc := json.NewEncoder(e.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(reports); err != nil {
			return err
		}
	}
	if refused > 0 {
		return &playlists.Error{Code: playlists.Invalid, Key: "drawings-refused", Args: []any{refused, len(reports)}}
	}
	return nil
}

// print writes a report: a line of facts, then a line for each finding.
func (f *checkFlags) print(e *env, file string, rep *render.Report) {
	state := "ok"
	switch {
	case rep.Refused():
		state = "REFUSED"
	case len(rep.Findings) > 0:
		state = "warn"
	}
	fmt.Fprintf(e.out, "%-7s %s: %s on %s", state, file, rep.Message, rep.Class)
	if !rep.Refused() {
		how := "pages"
		if rep.Scrolls {
			how = "steps, scrolling"
		}
		fmt.Fprintf(e.out, ": %d %s, %.1f s, letters %d px (%s), %d bytes, level %.0f %%",
			rep.Pages, how, float64(rep.ReadMS)/1000, rep.CapPx, rep.Font, rep.Bytes, 100*rep.APL)
	}
	fmt.Fprintln(e.out)
	for _, x := range rep.Findings {
		text, remedy := x.Text.EN, x.Remedy.EN
		if f.lang == "vi" {
			text, remedy = x.Text.VI, x.Remedy.VI
		}
		fmt.Fprintf(e.out, "        %s %s: %s %s\n", x.Level, x.Code, text, remedy)
	}
}

// pick returns the classes to check on.
func (f *checkFlags) pick(all *manifests) ([]playlists.Class, error) {
	names := f.classes
	if len(names) == 0 {
		seen := map[string]bool{}
		for _, s := range all.signs {
			if n := s.Class.String(); !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	if len(names) == 0 {
		names = checkClasses
	}
	var out []playlists.Class
	for _, n := range names {
		c, err := playlists.ParseClass(n)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// manifests reads several files as one manifest.
type manifests struct {
	messages  []fileMessage
	signs     []*playlists.Sign
	playlists []*playlists.Playlist
}

type fileMessage struct {
	*playlists.Message
	file string
}

// media reads the picture of a message: a file beside the document.
func (m fileMessage) media(id string) ([]byte, error) {
	return readFile(filepath.Join(filepath.Dir(m.file), filepath.Base(id)))
}

func readManifests(files []string) (*manifests, error) {
	all := &manifests{}
	for _, file := range files {
		data, err := readFile(file)
		if err != nil {
			return nil, err
		}
		m, err := manifest.Parse(file, data)
		if err != nil {
			return nil, err
		}
		for _, x := range manifest.All[*playlists.Message](m) {
			all.messages = append(all.messages, fileMessage{x, file})
		}
		all.signs = append(all.signs, manifest.All[*playlists.Sign](m)...)
		all.playlists = append(all.playlists, manifest.All[*playlists.Playlist](m)...)
	}
	if len(all.messages) == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, File: files[0], Key: "no-message-document"}
	}
	return all, nil
}

// dwell returns the shortest dwell that a playlist gives the message; 0 for none.
func (all *manifests) dwell(m *playlists.Message) int64 {
	var least int64
	for _, p := range all.playlists {
		for _, it := range p.Items {
			owner, id, ok := strings.Cut(it.Message, "/")
			if !ok {
				owner, id = p.Owner, it.Message
			}
			if owner == m.Owner && id == m.ID && it.DwellMS > 0 && (least == 0 || it.DwellMS < least) {
				least = it.DwellMS
			}
		}
	}
	return least
}
