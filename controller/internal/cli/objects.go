package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// thing is one object of a manifest, with the path it has at the API.
type thing struct {
	kind string // as in a manifest, e.g. "Message"
	name string // for people, e.g. "message viet-ads/tet"
	path string // below /api/v1/
	read string // where it is read, if not at path
	spec any    // *playlists.X

	columns []string // of a list of signs: all that it says of the sign; nil for all
}

// over is the thing as it shall be where there is one already.
func (t *thing) over(have any) any {
	if old, ok := have.(*playlists.Sign); ok && t.columns != nil {
		return old.Merge(t.spec.(*playlists.Sign), t.columns)
	}
	return t.spec
}

// things are a manifest's objects in the order in which they can be made: what
// is named comes before what names it.
func things(m *manifest.Manifest) []thing {
	var out []thing
	for i := range m.Owners {
		o := &m.Owners[i]
		out = append(out, thing{kind: "Owner", name: "owner " + o.ID, path: "owners/" + o.ID, spec: o})
	}
	for i := range m.Users {
		x := &m.Users[i]
		out = append(out, thing{kind: "User", name: "user " + x.ID, path: "users/" + x.ID, spec: x})
	}
	for i := range m.Areas {
		x := &m.Areas[i]
		out = append(out, thing{kind: "Area", name: "area " + x.Code, path: "areas/" + x.Code, spec: x})
	}
	owned := func(kind, plural, owner, id string, spec any) {
		out = append(out, thing{kind: kind, name: strings.ToLower(kind) + " " + owner + "/" + id, path: "owners/" + owner + "/" + plural + "/" + id, spec: spec})
	}
	for i := range m.Messages {
		x := &m.Messages[i]
		owned("Message", "messages", x.Owner, x.ID, x)
	}
	for i := range m.Playlists {
		x := &m.Playlists[i]
		owned("Playlist", "playlists", x.Owner, x.ID, x)
	}
	for i := range m.Signs {
		x := &m.Signs[i]
		out = append(out, thing{kind: "Sign", name: "sign " + x.ID, path: "signs/" + x.ID, read: "signs/" + x.ID + "/spec", spec: x, columns: m.SignColumns})
	}
	for i := range m.Schedules {
		x := &m.Schedules[i]
		owned("Schedule", "schedules", x.Owner, x.ID, x)
	}
	for i := range m.Agreements {
		x := &m.Agreements[i]
		owned("Agreement", "agreements", x.Owner, x.ID, x)
	}
	for i := range m.Campaigns {
		x := &m.Campaigns[i]
		out = append(out, thing{kind: "Campaign", name: "campaign " + x.ID, path: "campaigns/" + x.ID, spec: x})
	}
	return out
}

func (t *thing) at() string {
	if t.read != "" {
		return t.read
	}
	return t.path
}

// yaml writes the thing as one document of a manifest.
func (t *thing) yaml() (string, error) {
	body, err := yaml.MarshalWithOptions(t.spec, yaml.UseLiteralStyleIfMultiline(true))
	return "kind: " + t.kind + "\n" + string(body), err
}

// kinds are the kinds of a manifest, as get lists them: below an owner or for
// the whole installation.
var kinds = map[string]struct {
	kind  string
	owned bool
	fresh func() any
}{
	"owners":     {"Owner", false, func() any { return &playlists.Owner{} }},
	"users":      {"User", false, func() any { return &playlists.User{} }},
	"areas":      {"Area", false, func() any { return &playlists.Area{} }},
	"signs":      {"Sign", false, func() any { return &playlists.Sign{} }},
	"campaigns":  {"Campaign", false, func() any { return &playlists.Campaign{} }},
	"messages":   {"Message", true, func() any { return &playlists.Message{} }},
	"playlists":  {"Playlist", true, func() any { return &playlists.Playlist{} }},
	"schedules":  {"Schedule", true, func() any { return &playlists.Schedule{} }},
	"agreements": {"Agreement", true, func() any { return &playlists.Agreement{} }},
}

// fresh is an empty spec of the thing's type.
func (t *thing) fresh() any {
	for _, k := range kinds {
		if k.kind == t.kind {
			return k.fresh()
		}
	}
	panic("no such kind: " + t.kind) // things and kinds disagree
}

// readManifest reads no more of a file than says that it is too large.
func readManifest(name string) (data []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, manifest.MaxBytes+1))
}

func (e *env) manifest(name string) ([]thing, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(io.LimitReader(e.in, manifest.MaxBytes+1))
	} else {
		data, err = readManifest(name)
	}
	if err != nil {
		return nil, err
	}
	var m *manifest.Manifest
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		m, err = manifest.ParseSigns(name, data)
	} else {
		m, err = manifest.Parse(name, data)
	}
	if err != nil {
		return nil, err
	}
	return things(m), nil
}

// withManifest makes a command that reads a YAML file, then a controller's
// address and token, and only then does something with both.
func (e *env) withManifest(cmd *cobra.Command, do func(ctx context.Context, c *client, list []thing) error) *cobra.Command {
	var c client
	var file string
	cmd.Args = noArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := required(cmd.Flags(), "filename"); err != nil {
			return err
		}
		list, err := e.manifest(file)
		if err == nil {
			err = c.open()
		}
		if err != nil {
			return err
		}
		return do(cmd.Context(), &c, list)
	}
	cmd.Flags().StringVarP(&file, "filename", "f", "", "YAML `file`, or CSV with a company's signs (.csv), or - for YAML on standard input")
	c.flags(cmd.Flags())
	return cmd
}

func newApply(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{
		Use: "apply -f FILE", Short: "Make the controller have what a YAML file says",
		Long: "apply puts every thing of the file: owners, users, areas, messages, playlists, signs, schedules, agreements and campaigns.\n" +
			"What is as the file says is left alone. The whole file is checked before anything is sent; what the controller\n" +
			"refuses is named, and the rest goes on.",
	}, func(ctx context.Context, c *client, list []thing) error {
		var refused []string
		for i := range list {
			what, err := c.apply(ctx, &list[i])
			if err != nil {
				fmt.Fprintf(e.err, "%s refused: %v\n", list[i].name, err)
				refused = append(refused, list[i].name)
				continue
			}
			fmt.Fprintf(e.out, "%s %s\n", list[i].name, what)
		}
		if len(refused) > 0 {
			return fmt.Errorf("%d of %d were refused: %s; mend what is named above and apply again", len(refused), len(list), strings.Join(refused, ", "))
		}
		return nil
	})
}

// apply puts one thing unless it is so already. It sends the version that it
// compared with, so that nobody's change in between is overwritten.
func (c *client) apply(ctx context.Context, t *thing) (what string, err error) {
	have := t.fresh()
	etag, err := c.do(ctx, http.MethodGet, "api/v1/"+t.at(), nil, have)
	head, what := []string{"If-Match", etag}, "changed"
	switch {
	case status(err) == http.StatusNotFound:
		head, what = []string{"If-None-Match", "*"}, "created"
	case err != nil:
		return "", err
	case equal(have, t.over(have)):
		return "unchanged", nil
	}
	spec := t.spec
	if what == "changed" {
		spec = t.over(have)
	}
	if _, err = c.do(ctx, http.MethodPut, "api/v1/"+t.path, spec, nil, head...); err != nil {
		return "", err
	}
	if c.accepted {
		what += "; its areas, test or mode wait for the department"
	}
	return what, nil
}

func equal(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func newDiff(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{Use: "diff -f FILE", Short: "Say what apply would change; exit code 1 if anything"},
		func(ctx context.Context, c *client, list []thing) error {
			n := 0
			for i := range list {
				text, err := c.diff(ctx, &list[i])
				if err != nil {
					return fmt.Errorf("%s: %w", list[i].name, err)
				}
				if text != "" {
					fmt.Fprintf(e.out, "%s\n%s", list[i].name, text)
					n++
				}
			}
			if n > 0 {
				return fmt.Errorf("%d of %d differ; `controller apply` makes them as the file says", n, len(list))
			}
			return nil
		})
}

// diff is the lines that only one side has, in their order; "" for none.
func (c *client) diff(ctx context.Context, t *thing) (string, error) {
	have := *t
	have.spec = t.fresh()
	_, err := c.do(ctx, http.MethodGet, "api/v1/"+t.at(), nil, have.spec)
	there := status(err) != http.StatusNotFound
	if err != nil && there {
		return "", err
	}
	wanted := *t
	if there {
		wanted.spec = t.over(have.spec)
	}
	if there && equal(have.spec, wanted.spec) {
		return "", nil
	}
	before := ""
	if there {
		if before, err = have.yaml(); err != nil {
			return "", err
		}
	}
	after, err := wanted.yaml()
	if err != nil {
		return "", err
	}
	old, new := strings.Split(strings.TrimSpace(before), "\n"), strings.Split(strings.TrimSpace(after), "\n")
	var b strings.Builder
	for _, l := range old {
		if l != "" && !slices.Contains(new, l) {
			fmt.Fprintf(&b, "  - %s\n", l)
		}
	}
	for _, l := range new {
		if !slices.Contains(old, l) {
			fmt.Fprintf(&b, "  + %s\n", l)
		}
	}
	if b.Len() == 0 {
		return "  the order differs\n", nil
	}
	return b.String(), nil
}

func newGet(e *env) *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "get owners | users | areas | signs | campaigns | messages OWNER | playlists OWNER | schedules OWNER | agreements OWNER",
		Short: "Print things as YAML that apply takes",
		Args: func(_ *cobra.Command, args []string) error {
			_, err := listPath(args)
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.open(); err != nil {
				return err
			}
			path, _ := listPath(args)
			var list struct {
				Items []json.RawMessage `json:"items"`
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/"+path, nil, &list); err != nil {
				return err
			}
			for i, raw := range list.Items {
				t := thing{kind: kinds[args[0]].kind, spec: kinds[args[0]].fresh()}
				if err := json.Unmarshal(raw, t.spec); err != nil {
					return err
				}
				text, err := t.yaml()
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Fprintln(e.out, "---")
				}
				fmt.Fprint(e.out, text)
			}
			return nil
		},
	}
	c.flags(cmd.Flags())
	return cmd
}

func listPath(args []string) (string, error) {
	const remedy = "write owners, users, areas, signs or campaigns; or messages, playlists, schedules or agreements and an OWNER"
	if len(args) == 0 {
		return "", usagef(remedy, "nothing is named")
	}
	k, ok := kinds[args[0]]
	switch {
	case ok && k.owned && len(args) == 2:
		return "owners/" + args[1] + "/" + args[0], nil
	case ok && !k.owned && len(args) == 1 && args[0] == "signs":
		return "specs/signs", nil
	case ok && !k.owned && len(args) == 1:
		return args[0], nil
	}
	return "", usagef(remedy, "%q cannot be listed", strings.Join(args, " "))
}

func newDelete(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{Use: "delete -f FILE", Short: "Delete the things that a YAML file names"},
		func(ctx context.Context, c *client, list []thing) error {
			slices.Reverse(list) // what names comes before what is named
			for i := range list {
				_, err := c.do(ctx, http.MethodDelete, "api/v1/"+list[i].path, nil, nil)
				switch {
				case status(err) == http.StatusNotFound:
					fmt.Fprintf(e.out, "%s is not there\n", list[i].name)
				case err != nil:
					return fmt.Errorf("%s: %w", list[i].name, err)
				default:
					fmt.Fprintf(e.out, "%s deleted\n", list[i].name)
				}
			}
			return nil
		})
}
