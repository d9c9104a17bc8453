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

// thing is one document of a manifest.
type thing struct {
	info *playlists.KindInfo
	spec playlists.Thing

	columns []string // from a list of signs: the fields that the list has; nil for all
}

// name is the thing for people, e.g. "message viet-ads/tet".
func (t *thing) name() string { return t.spec.Key().String() }

// path is where the API keeps it, below /api/v1/.
func (t *thing) path() string { return t.info.Path(t.spec.Key()) }

// over returns the object to send over an existing one.
func (t *thing) over(have playlists.Thing) playlists.Thing {
	if old, ok := have.(*playlists.Sign); ok && t.columns != nil {
		return old.Merge(t.spec.(*playlists.Sign), t.columns)
	}
	return t.spec
}

// things are a manifest's documents in the order in which they can be put.
func things(m *manifest.Manifest) []thing {
	out := make([]thing, len(m.Things))
	for i, t := range m.Things {
		out[i] = thing{info: playlists.InfoOf(t.Key().Kind), spec: t, columns: m.SignColumns}
	}
	return out
}

// yaml writes the object as one document of a manifest.
func (t *thing) yaml() (string, error) {
	body, err := yaml.MarshalWithOptions(t.spec, yaml.UseLiteralStyleIfMultiline(true))
	return "kind: " + t.info.Document + "\n" + string(body), err
}

// readManifest reads a file up to the size limit, and one byte more.
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

// withManifest completes a command that reads a YAML file, then the address and
// token of a controller, and only then runs do.
func (e *env) withManifest(cmd *cobra.Command, do func(ctx context.Context, c *client,
	list []thing) error) *cobra.Command {
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
	cmd.Flags().StringVarP(&file, "filename", "f", "",
		"YAML `file`, or CSV with a company's signs (.csv), or - for YAML on standard input")
	c.flags(cmd.Flags())
	return cmd
}

func newApply(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{
		Use: "apply -f FILE", Short: "Create or change the objects of a YAML file",
		Long: "apply puts every object of the file: owners, users, areas, messages, playlists, signs, schedules, " +
			"agreements and campaigns.\n" +
			"It leaves objects alone that are already as the file says. It checks the whole file before it sends " +
			"anything. It\n" +
			"names each object that the controller refuses and goes on with the rest.",
	}, func(ctx context.Context, c *client, list []thing) error {
		var refused []string
		for i := range list {
			what, err := c.apply(ctx, &list[i])
			if err != nil {
				fmt.Fprintf(e.err, "%s refused: %v\n", list[i].name(), err)
				refused = append(refused, list[i].name())
				continue
			}
			fmt.Fprintf(e.out, "%s %s\n", list[i].name(), what)
		}
		if len(refused) > 0 {
			return fmt.Errorf("%d of %d were refused: %s; mend what is named above and apply again", len(refused),
				len(list), strings.Join(refused, ", "))
		}
		return nil
	})
}

// apply puts one object unless it is already as the file says. It sends the version
// that it compared, so that it does not overwrite a change made in between.
func (c *client) apply(ctx context.Context, t *thing) (what string, err error) {
	have := t.info.New()
	etag, err := c.do(ctx, http.MethodGet, "api/v1/"+t.info.SpecPath(t.spec.Key()), nil, have)
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
	var got putAnswer
	if _, err = c.do(ctx, http.MethodPut, "api/v1/"+t.path(), spec, &got, head...); err != nil {
		return "", err
	}
	for _, x := range got.notes(c.accepted) {
		what += "; " + x
	}
	return what, nil
}

// putAnswer is what whoever puts a sign must know.
type putAnswer struct {
	Alerts playlists.SignAlerts
	Unable *playlists.Finding `json:"alerts_unable"`
}

func (a *putAnswer) notes(accepted bool) (out []string) {
	switch {
	case a.Alerts == playlists.AlertsWaiting:
		out = append(out, "it waits for the department: its owner has as many signs or classes as it may")
	case accepted:
		out = append(out, "its areas, test or mode wait for the department")
	}
	if a.Unable != nil {
		out = append(out, "no template of urgent messages fits it: "+a.Unable.Text.EN)
	}
	return out
}

func equal(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func newDiff(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{Use: "diff -f FILE",
		Short: "Show what apply would change; exit code 1 if anything"},
		func(ctx context.Context, c *client, list []thing) error {
			n := 0
			for i := range list {
				text, err := c.diff(ctx, &list[i])
				if err != nil {
					return fmt.Errorf("%s: %w", list[i].name(), err)
				}
				if text != "" {
					fmt.Fprintf(e.out, "%s\n%s", list[i].name(), text)
					n++
				}
			}
			if n > 0 {
				return fmt.Errorf("%d of %d differ; `controller apply` makes them as the file says", n, len(list))
			}
			return nil
		})
}

// diff returns the lines that only one side has, in order; "" for none.
func (c *client) diff(ctx context.Context, t *thing) (string, error) {
	have := *t
	have.spec = t.info.New()
	_, err := c.do(ctx, http.MethodGet, "api/v1/"+t.info.SpecPath(t.spec.Key()), nil, have.spec)
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
		Use: "get owners | users | areas | signs | campaigns | messages OWNER | playlists OWNER | schedules OWNER " +
			"| agreements OWNER",
		Short: "Print objects as YAML for apply",
		Args: func(_ *cobra.Command, args []string) error {
			_, _, err := listPath(args)
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.open(); err != nil {
				return err
			}
			info, path, _ := listPath(args)
			var list struct {
				Items []json.RawMessage `json:"items"`
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/"+path, nil, &list); err != nil {
				return err
			}
			for i, raw := range list.Items {
				t := thing{info: info, spec: info.New()}
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

// listPath is the kind that arguments name and where the API lists it, below
// /api/v1/.
func listPath(args []string) (*playlists.KindInfo, string, error) {
	remedy := "write " + kinds(false) + "; or " + kinds(true) + " and an OWNER"
	if len(args) == 0 {
		return nil, "", usagef(remedy, "nothing is named")
	}
	for i := range playlists.Kinds {
		k := &playlists.Kinds[i]
		if k.Document == "" || k.Plural != args[0] {
			continue
		}
		switch {
		case k.OfOwner && len(args) == 2:
			return k, k.ListPath(args[1]), nil
		case !k.OfOwner && len(args) == 1:
			return k, k.ListPath(""), nil
		}
	}
	return nil, "", usagef(remedy, "%q cannot be listed", strings.Join(args, " "))
}

// kinds are those of a manifest, as get lists them: below an owner or for the
// whole installation.
func kinds(ofOwner bool) string {
	var names []string
	for i := range playlists.Kinds {
		if k := &playlists.Kinds[i]; k.Document != "" && k.OfOwner == ofOwner {
			names = append(names, k.Plural)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func newDelete(e *env) *cobra.Command {
	return e.withManifest(&cobra.Command{Use: "delete -f FILE", Short: "Delete the objects that a YAML file names"},
		func(ctx context.Context, c *client, list []thing) error {
			slices.Reverse(list) // an object goes before those that it refers to
			for i := range list {
				_, err := c.do(ctx, http.MethodDelete, "api/v1/"+list[i].path(), nil, nil)
				switch {
				case status(err) == http.StatusNotFound:
					fmt.Fprintf(e.out, "%s is not there\n", list[i].name())
				case err != nil:
					return fmt.Errorf("%s: %w", list[i].name(), err)
				default:
					fmt.Fprintf(e.out, "%s deleted\n", list[i].name())
				}
			}
			return nil
		})
}
