package cli

import (
	"context"
	"image"
	"image/gif"
	_ "image/png"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
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
	out, err := os.Create(ts.MkAbs("stdout.txt"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs("stderr.txt"))
	ts.Check(err)
	defer errs.Close()
	wd, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	code := Run(context.Background(), args[1:], os.Stdin, out, errs)
	ts.Check(os.Chdir(wd))
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%v exits %d, want %s: %s", args[1:], code, args[0], ts.ReadFile("stderr.txt"))
	}
}
