package cli

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/gif"
	_ "image/png"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "simulate" || os.Args[1] == crowdCommand) {
		os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) // the real command, for TestSimulate
	}
	testscript.Main(m, map[string]func(){
		"controller": func() {
			os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// The scripts in testdata/script run the real command line.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"size":     checkSize,
			"duration": checkDuration,
			"exits":    checkExit,
		},
	})
}

// size FILE W H: the picture is exactly so large.
func checkSize(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: size FILE W H")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	ts.Check(err)
	if strconv.Itoa(c.Width) != args[1] || strconv.Itoa(c.Height) != args[2] {
		ts.Fatalf("%s is %d x %d, want %s x %s", args[0], c.Width, c.Height, args[1], args[2])
	}
}

// duration FILE FRAMES CS: the GIF has so many pictures and lasts so many
// hundredths of a second.
func checkDuration(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: duration FILE FRAMES CS")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	g, err := gif.DecodeAll(f)
	ts.Check(err)
	total := 0
	for _, d := range g.Delay {
		total += d
	}
	if strconv.Itoa(len(g.Image)) != args[1] || strconv.Itoa(total) != args[2] {
		ts.Fatalf("%s has %d pictures over %d cs, want %s over %s", args[0], len(g.Image), total, args[1], args[2])
	}
}

// exits CODE COMMAND...: the command exits so, and says exactly one line on
// standard error if the code is 1.
func checkExit(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	cmd := exec.Command("controller", args[1:]...) // testscript put it on the path
	cmd.Dir = ts.MkAbs(".")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var failed *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &failed) {
		ts.Fatalf("%v: %v", args, err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), errs.Bytes(), 0o600))
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[0] {
		ts.Fatalf("%v exits %d, want %s: %s", args[1:], code, args[0], errs.String())
	}
	if args[0] == "1" && bytes.Count(errs.Bytes(), []byte("\n")) != 1 {
		ts.Fatalf("%v says more or less than one line: %q", args[1:], errs.String())
	}
}
