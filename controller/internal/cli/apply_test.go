package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/controller/internal/app"
)

// controllerOn runs a controller on a folder for the test.
func controllerOn(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	a, err := app.New(t.Context(), app.Options{Data: data, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := a.People().FirstAdmins(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.FilesWritten()
	return data
}

// command runs one as the controller's administrator and returns what it prints.
func command(t *testing.T, want int, data string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--data", data, "--as", "admin")
	if code := Run(context.WithoutCancel(t.Context()), args, strings.NewReader(""), &out, &errs); code != want {
		t.Fatalf("controller %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
	return out.String()
}

// As a new user would: two companies with ten signs each and a department from
// one file, which then says what is there; and what is there, written out, makes
// another controller the same.
func TestExampleThereAndBack(t *testing.T) {
	const example = "../../../docs/example.yaml"
	first := controllerOn(t)
	if out := command(t, 0, first, "apply", "-f", example); strings.Count(out, " created") < 30 {
		t.Errorf("apply says %s", out)
	}
	if out := command(t, 0, first, "apply", "-f", example); strings.Contains(out, "created") ||
		strings.Contains(out, "changed\n") && !strings.Contains(out, "unchanged") {
		t.Errorf("apply again says %s", out)
	}
	command(t, 0, first, "diff", "-f", example)
	var all []string
	for _, kind := range [][]string{{"owners"}, {"users"}, {"areas"}, {"messages", "public"}, {"playlists", "public"},
		{"signs"}, {"schedules", "public"}, {"agreements", "public"}, {"campaigns"}} {
		if out := command(t, 0, first, append([]string{"get"}, kind...)...); out != "" {
			all = append(all, out)
		}
	}
	file := filepath.Join(t.TempDir(), "all.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(all, "---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	second := controllerOn(t)
	command(t, 1, second, "diff", "-f", file)
	command(t, 0, second, "apply", "-f", file)
	command(t, 0, second, "diff", "-f", file)
	command(t, 0, second, "diff", "-f", example)
	// And a list of signs changes what it has columns for.
	list := filepath.Join(t.TempDir(), "signs.csv")
	if err := os.WriteFile(list,
		[]byte("id,owner,class,areas,phone\n"+
			"dp-001,bien-hieu-duc-pho,128x64-rgb,quang-ngai/thanh-pho-quang-ngai,0255 3822 999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := command(t, 0, second, "apply", "-f", list); !strings.Contains(out, "sign dp-001 changed") {
		t.Errorf("the list: %s", out)
	}
	if out := command(t, 1, second, "diff", "-f", example); !strings.Contains(out, "- phone: 0255 3822 999") ||
		strings.Contains(out, "playlist") {
		t.Errorf("after the list: %s", out)
	}
}
