package manifest

import (
	"bytes"
	"errors"
	"io"

	"github.com/goccy/go-yaml"

	"ledcast/playlists"
)

// ParseTemplates parses templates as YAML documents separated by "---". It is as strict as Parse and returns the
// same kind of errors.
func ParseTemplates(file string, data []byte) ([]playlists.AlertTemplate, error) {
	var out []playlists.AlertTemplate
	d := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	for {
		var t playlists.AlertTemplate
		err := recovered(func() error { return d.Decode(&t) })
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, yamlError(file, err)
		}
		if err := t.Validate(); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
}
