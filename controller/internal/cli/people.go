package cli

import (
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ledcast/playlists"
)

func newUser(e *env) *cobra.Command {
	return e.group("user", "People who sign in to the pages",
		"user adds people, and makes the links that let them in once to set a password. Nobody has a default password.",
		e.userAdd(), e.userMade(),
		e.plain("list", "List people", func(cmd *cobra.Command, c *client) error {
			var list struct{ Items []playlists.User }
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/users", nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "USER\tOWNER\tROLE\tAREAS\tNAME")
			for _, u := range list.Items {
				name := u.Name
				if u.Disabled {
					name += " (disabled)"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.ID, u.Owner, u.Role, strings.Join(u.Areas, ","), name)
			}
			return w.Flush()
		}),
		e.named("link USER", "Make a link that lets somebody in once, to set a password", "USER", e.link),
		e.named("out USER", "Sign somebody out everywhere", "USER",
			func(cmd *cobra.Command, c *client, id string) error {
				_, err := c.do(cmd.Context(), http.MethodDelete, "api/v1/users/"+id+"/sessions", nil, nil)
				return err
			}),
		e.named("vouch USER", "Let somebody approve whose way in is younger than 24 hours and whom another let in", "USER",
			func(cmd *cobra.Command, c *client, id string) error {
				_, err := c.do(cmd.Context(), http.MethodPost, "api/v1/users/"+id+"/vouch", struct{}{}, nil)
				return err
			}),
		e.named("remove USER", "Remove somebody; they are out at once", "USER",
			func(cmd *cobra.Command, c *client, id string) error {
				_, err := c.do(cmd.Context(), http.MethodDelete, "api/v1/users/"+id, nil, nil)
				return err
			}),
	)
}

func (e *env) link(cmd *cobra.Command, c *client, id string) error {
	var out struct {
		Path      string `json:"path"`
		ExpiresMS int64  `json:"expires_ms"`
	}
	if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/users/"+id+"/link", struct{}{}, &out); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s\nonce and until %s\n", c.at(out.Path), time.UnixMilli(out.ExpiresMS).Format(time.RFC3339))
	return nil
}

// userMade lists what somebody looks at when a person is removed.
func (e *env) userMade() *cobra.Command {
	return e.named("made USER", "List what a person has made that is still there, also of one who is gone", "USER",
		func(cmd *cobra.Command, c *client, id string) error {
			var list struct {
				Items []struct {
					Kind, ID, Who string
					AtMS          int64 `json:"at_ms"`
				}
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/users/"+id+"/made", nil, &list); err != nil {
				return err
			}
			for _, x := range list.Items {
				fmt.Fprintf(e.out, "%s\t%s %s\tby %s\n", clockTime(x.AtMS/1000), x.Kind, x.ID, x.Who)
			}
			return nil
		})
}

func (e *env) userAdd() *cobra.Command {
	var u playlists.User
	var role string
	cmd := e.named("add USER", "Add somebody, and print their link", "USER",
		func(cmd *cobra.Command, c *client, id string) error {
			u.ID, u.Role = id, playlists.Role(role)
			if err := u.Validate(); err != nil {
				return err
			}
			if _, err := c.do(cmd.Context(), http.MethodPut, "api/v1/users/"+id, &u, nil, "If-None-Match",
				"*"); err != nil {
				return err
			}
			return e.link(cmd, c, id)
		})
	f := cmd.Flags()
	f.StringVar(&u.Owner, "owner", "", "the company's `id`, or public for the department")
	f.StringVar(&role, "role", "", "admin, editor or viewer of a company; admin, author, approver or viewer of the "+
		"department")
	f.StringVar(&u.Name, "name", "", "what people call them")
	f.StringSliceVar(&u.Areas, "areas", nil, "an officer's `areas`; everywhere without")
	f.StringVar(&u.Phone, "phone", "", "telephone")
	return cmd
}

func newToken(e *env) *cobra.Command {
	return e.group("token", "API tokens of people and programs",
		"token makes and revokes API tokens. A token's secret is shown once, and only its digest is kept.",
		e.tokenAdd(),
		e.plain("list", "List tokens", func(cmd *cobra.Command, c *client) error {
			var list struct {
				Items []struct {
					ID, Owner, Role string
					Only            []string
					Expires         int64
				}
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/tokens", nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "TOKEN\tOWNER\tROLE\tONLY\tUNTIL")
			for _, t := range list.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.Owner, t.Role, strings.Join(t.Only, ","),
					time.Unix(t.Expires, 0).Format(time.RFC3339))
			}
			return w.Flush()
		}),
		e.named("revoke TOKEN", "Revoke a token at once", "TOKEN",
			func(cmd *cobra.Command, c *client, id string) error {
				_, err := c.do(cmd.Context(), http.MethodDelete, "api/v1/tokens/"+id, nil, nil)
				return err
			}),
	)
}

func (e *env) tokenAdd() *cobra.Command {
	var owner, role, out string
	var areas, only, may []string
	var life time.Duration
	cmd := e.named("add TOKEN", "Make a token, or replace it", "TOKEN",
		func(cmd *cobra.Command, c *client, id string) error {
			if out == "" {
				out = id + ".token"
			}
			body := map[string]any{"owner": owner, "role": role, "areas": areas, "only": only, "may": may,
				"expires": time.Now().Add(life).Unix()}
			var made struct {
				Secret string `json:"secret"`
			}
			if _, err := c.do(cmd.Context(), http.MethodPut, "api/v1/tokens/"+id, body, &made); err != nil {
				return err
			}
			if err := writeNew(out, []byte(made.Secret+"\n")); err != nil {
				return fmt.Errorf("%w; the token was made and is lost: make it again", err)
			}
			fmt.Fprintf(e.out, "%s: the token, for --token-file; it is not shown again\n", out)
			return nil
		})
	f := cmd.Flags()
	f.StringVar(&owner, "owner", "", "the company's `id`, or public (default: your own)")
	f.StringVar(&role, "role", "viewer", "what it may do: a role of the owner")
	f.StringSliceVar(&areas, "areas", nil, "an officer's `areas`")
	f.StringSliceVar(&may, "may", nil, "what it may do beyond its role: cancel, to end urgent messages")
	f.StringSliceVar(&only, "only", nil, "`kinds` of things that it may touch, e.g. message,playlist; all without")
	f.DurationVar(&life, "life", 90*24*time.Hour, "how long it works, at most 8784h")
	f.StringVar(&out, "out", "", "`file` for the secret, mode 0600 (TOKEN.token)")
	return cmd
}
