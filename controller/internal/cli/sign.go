package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ledcast/playlists"
)

func newSign(e *env) *cobra.Command {
	return e.group("sign", "Let signs in, keep them out", "sign adds signs, writes their config files, and takes their passwords away.",
		e.signAdd(),
		e.named("revoke SIGN", "Take a sign's password and close its connection", "SIGN", func(cmd *cobra.Command, c *client, id string) error {
			if _, err := c.do(cmd.Context(), http.MethodDelete, "api/v1/signs/"+id+"/credentials", nil, nil); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "sign %s is out; let it in again with `controller sign add %s`\n", id, id)
			return nil
		}),
		e.named("code SIGN", "Make a one-time code, with which `sign enrol` fetches the config file", "SIGN", func(cmd *cobra.Command, c *client, id string) error {
			var out struct {
				Code      string `json:"code"`
				ExpiresMS int64  `json:"expires_ms"`
			}
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/signs/"+id+"/code", struct{}{}, &out); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s\nonce and until %s: sign enrol --server %s --code %s\n", out.Code, time.UnixMilli(out.ExpiresMS).Format(time.RFC3339), c.base, out.Code)
			return nil
		}),
		e.named("pending SIGN", "Show what waits for the department", "SIGN", e.pending(http.MethodGet, "")),
		e.named("approve SIGN", "Let what waits take effect (department)", "SIGN", e.pending(http.MethodPost, "/approve")),
		e.named("refuse SIGN", "Drop what waits", "SIGN", e.pending(http.MethodPost, "/refuse")),
	)
}

func (e *env) pending(method, path string) func(*cobra.Command, *client, string) error {
	return func(cmd *cobra.Command, c *client, id string) error {
		var x map[string]any
		var body any
		if method == http.MethodPost {
			body = struct{}{}
		}
		if _, err := c.do(cmd.Context(), method, "api/v1/signs/"+id+"/pending"+path, body, &x); err != nil {
			return err
		}
		text, err := json.MarshalIndent(x, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%s\n", text)
		return nil
	}
}

func (e *env) signAdd() *cobra.Command {
	var s playlists.Sign
	var class, mode, out string
	cmd := e.named("add SIGN", "Add a sign and write its config file; an existing sign gets a new password", "SIGN", func(cmd *cobra.Command, c *client, id string) error {
		if out == "" {
			out = id + ".json"
		}
		if _, err := os.Stat(out); err == nil {
			return fmt.Errorf("--out %s is there already; move it away, or choose another name", out)
		}
		s.ID, s.Mode = id, playlists.Mode(mode)
		if class != "" {
			var err error
			if s.Class, err = playlists.ParseClass(class); err != nil {
				return err
			}
			if err := s.Validate(); err != nil {
				return err
			}
			if _, err := c.do(cmd.Context(), http.MethodPut, "api/v1/signs/"+id, &s, nil, "If-None-Match", "*"); err != nil {
				return err
			}
			if c.accepted {
				fmt.Fprintln(e.err, "that it shows tests waits for the department")
			}
		}
		var conf json.RawMessage
		if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/signs/"+id+"/credentials", struct{}{}, &conf); err != nil {
			if status(err) == http.StatusNotFound && class == "" {
				return fmt.Errorf("%w; to add it, give --owner, --class and --areas", err)
			}
			return err
		}
		if err := writeNew(out, append(conf, '\n')); err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%s: the config file of %s; move it to the sign, it holds its password\n", out, id)
		return nil
	})
	f := cmd.Flags()
	f.StringVar(&s.Owner, "owner", "", "the company's `id`")
	f.StringVar(&class, "class", "", "`WxH-colour` of its face, e.g. 128x64-rgb; without it the sign must be there already")
	f.StringSliceVar(&s.Areas, "areas", nil, "`areas` that it stands in, e.g. quang-ngai/son-tinh")
	f.StringVar(&s.Name, "name", "", "what people call it")
	f.StringVar(&mode, "mode", "", "program (default) or picture")
	f.BoolVar(&s.Test, "test", false, "it shows tests, too")
	f.StringVar(&s.Phone, "phone", "", "whom to call when it does not show what it should")
	f.StringVar(&out, "out", "", "`file` for the config, mode 0600 (SIGN.json)")
	return cmd
}

// writeNew writes a file that was not there, readable by its owner only.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w; choose another file", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	if err != nil {
		_ = os.Remove(filepath.Clean(name)) // half a file is none
	}
	return err
}
