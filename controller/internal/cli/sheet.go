package cli

import (
	"bytes"
	"image/png"

	"github.com/spf13/cobra"

	"ledcast/playlists"
	"ledcast/render"
)

// newSheet makes the command that draws all messages of some files on many classes,
// as one picture.
func newSheet(e *env) *cobra.Command {
	var classes []string
	var out string
	c := &cobra.Command{
		Use:   "sheet FILE... --out contact-sheet.png",
		Short: "Draw a contact sheet: every message on many classes",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("e.g. controller sheet messages.yaml --out sheet.png", "sheet needs a file")
			}
			return required(c.Flags(), "out")
		},
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := readManifests(args)
			if err != nil {
				return err
			}
			var faces []playlists.Class
			for _, n := range classes {
				c, err := playlists.ParseClass(n)
				if err != nil {
					return err
				}
				faces = append(faces, c)
			}
			r, err := render.New()
			if err != nil {
				return err
			}
			var msgs []*playlists.Message
			for _, m := range all.messages {
				msgs = append(msgs, m.Message)
			}
			img, err := r.Sheet(msgs, faces, render.Options{Media: all.messages[0].media})
			if err != nil {
				return err
			}
			return write(out, func() ([]byte, error) {
				var b bytes.Buffer
				err := png.Encode(&b, img)
				return b.Bytes(), err
			})
		},
	}
	c.Flags().StringVar(&out, "out", "", "the PNG to write")
	c.Flags().StringSliceVar(&classes, "class", render.SheetClasses, "the classes, one column each")
	return c
}
