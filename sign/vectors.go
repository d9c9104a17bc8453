package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The test vectors of docs/vectors and the runner that puts any implementation
// of a sign behind them. docs/vectors/README.md says what each member means.
type (
	vectorFile struct {
		About    string                   `json:"about"`
		Payloads map[string]vectorPayload `json:"payloads"`
		Cases    []vectorCase             `json:"cases"`
	}
	// vectorPayload is one message: exactly one form is given.
	vectorPayload struct {
		Text   string `json:"text,omitempty"`
		Base64 string `json:"base64,omitempty"`
		Fill   string `json:"fill,omitempty"` // repeated up to Bytes
		Bytes  int    `json:"bytes,omitempty"`
	}
	vectorCase struct {
		Name   string          `json:"name"`
		Needs  []string        `json:"needs,omitempty"`
		Config json.RawMessage `json:"config"`
		Events []vectorEvent   `json:"events"`
		Expect []vectorAnswer  `json:"expect,omitempty"` // one an event; not sent
	}
	vectorEvent struct {
		Do       string `json:"do"`
		SystemMS int64  `json:"system_ms,omitempty"`
		NTP      bool   `json:"ntp,omitempty"`
		Session  string `json:"session,omitempty"`
		// Challenge is what the sign asks for the time with, in place of random bytes.
		Challenge string `json:"challenge,omitempty"`
		Topic     string `json:"topic,omitempty"`
		Payload   string `json:"payload,omitempty"` // in a file
		Base64    string `json:"base64,omitempty"`  // in a request, in its place
		MS        int64  `json:"ms,omitempty"`
		What      string `json:"what,omitempty"`
	}
	vectorAnswer struct {
		Acks   []map[string]any `json:"acks,omitempty"`
		Face   map[string]any   `json:"face,omitempty"`
		Status map[string]any   `json:"status,omitempty"`
	}
	vectorReply struct {
		Answers []vectorAnswer `json:"answers"`
		Error   string         `json:"error,omitempty"`
	}
)

// replyTimeout ends an implementation that hangs. It decides nothing else: a slow answer is an answer.
const replyTimeout = 2 * time.Minute

func newVectors(stdout io.Writer) *cobra.Command {
	var without []string
	var only string
	c := &cobra.Command{
		Use:   "vectors DIR [-- COMMAND ARG…]",
		Short: "Put an implementation of a sign behind the test vectors; without a command, this one",
		Example: "  sign vectors docs/vectors\n" +
			"  sign vectors docs/vectors --without jpeg -- node docs/examples/node-sign/vectors.mjs",
		Args: func(c *cobra.Command, args []string) error {
			if n := c.ArgsLenAtDash(); len(args) == 0 || n == 0 || n > 1 || n < 0 && len(args) > 1 {
				return usageError{
					errors.New("give the folder of the vectors, and a command after --; see sign vectors --help"),
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			match, err := regexp.Compile(only)
			if err != nil {
				return usageError{fmt.Errorf("--run %q is not a regular expression: %v", only, err)}
			}
			answer := answerHere
			if len(args) > 1 {
				p, err := startImplementation(c.Context(), args[1:])
				if err != nil {
					return err
				}
				defer p.stop()
				answer = p.answer
			}
			return runVectors(args[0], without, match, answer, stdout)
		},
	}
	c.Flags().StringSliceVar(&without, "without", nil, "leave out cases that need this, e.g. jpeg")
	c.Flags().StringVar(&only, "run", "", "only cases whose name matches this regular `expression`")
	return c
}

// runVectors asks for the answers to every case and reports those that are wrong.
func runVectors(dir string, without []string, match *regexp.Regexp, answer func(vectorCase) ([]vectorAnswer, error),
	w io.Writer) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("%s holds no vectors (*.json); give the folder docs/vectors of the project", dir)
	}
	sort.Strings(paths)
	ran, left, failed := 0, 0, 0
	for _, path := range paths {
		cases, err := readVectors(path)
		if err != nil {
			return err
		}
		for _, c := range cases {
			if !match.MatchString(c.Name) {
				continue
			}
			if slices.ContainsFunc(c.Needs, func(n string) bool { return slices.Contains(without, n) }) {
				left++
				continue
			}
			ran++
			expect := c.Expect
			c.Expect = nil
			answers, err := answer(c)
			if err == nil {
				err = judge(c, expect, answers)
			}
			if err != nil {
				failed++
				fmt.Fprintf(w, "FAIL %s: %v\n", c.Name, err)
			}
		}
	}
	fmt.Fprintf(w, "%d cases, %d failed, %d left out\n", ran, failed, left)
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, ran)
	}
	if ran == 0 {
		return errors.New("no case ran; see --run and --without")
	}
	return nil
}

// readVectors reads a file and puts its payloads into its cases.
func readVectors(path string) ([]vectorCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f vectorFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		if len(c.Expect) != len(c.Events) {
			return nil, fmt.Errorf("%s: %s has %d events and %d answers", path, c.Name, len(c.Events), len(c.Expect))
		}
		for k := range c.Events {
			e := &c.Events[k]
			if e.Payload == "" {
				continue
			}
			p, ok := f.Payloads[e.Payload]
			if !ok {
				return nil, fmt.Errorf("%s: %s names the payload %q, which is not there", path, c.Name, e.Payload)
			}
			e.Payload, e.Base64 = "", p.base64()
		}
	}
	return f.Cases, nil
}

func (p vectorPayload) base64() string {
	switch {
	case p.Base64 != "":
		return p.Base64
	case p.Fill != "":
		return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(p.Fill), p.Bytes/len(p.Fill)))
	}
	return base64.StdEncoding.EncodeToString([]byte(p.Text))
}

// judge compares answers with what must be. Acks within one event may come in
// any order; of what is expected only the members that stand there count.
func judge(c vectorCase, expect, answers []vectorAnswer) error {
	if len(answers) != len(expect) {
		return fmt.Errorf("%d answers to %d events", len(answers), len(expect))
	}
	for i := range expect {
		where := fmt.Sprintf("event %d (%s %s)", i+1, c.Events[i].Do, c.Events[i].Topic+c.Events[i].What)
		if err := judgeAcks(expect[i].Acks, answers[i].Acks); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		for _, of := range []struct{ want, got map[string]any }{{expect[i].Face, answers[i].Face},
			{expect[i].Status, answers[i].Status}} {
			if !within(of.want, of.got) {
				return fmt.Errorf("%s: answered %s, want %s", where, text(of.got), text(of.want))
			}
		}
	}
	return nil
}

func judgeAcks(want, got []map[string]any) error {
	left := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(left, func(g map[string]any) bool { return within(w, g) })
		if i < 0 {
			return fmt.Errorf("acks %s, want %s", text(got), text(want))
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return fmt.Errorf("acks %s, want %s and no more", text(got), text(want))
	}
	return nil
}

// within reports whether every member of want stands in got. null is a member
// that is not there.
func within(want, got any) bool {
	w, ok := want.(map[string]any)
	if !ok {
		return want == nil && got == nil ||
			want != nil && got != nil && fmt.Sprint(want) == fmt.Sprint(got) &&
				reflect.TypeOf(want) == reflect.TypeOf(got)
	}
	g, ok := got.(map[string]any)
	if !ok {
		return len(w) == 0
	}
	for k, v := range w {
		if !within(v, g[k]) {
			return false
		}
	}
	return true
}

func text(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// implementation is a process that answers cases: one JSON a line.
type implementation struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

func startImplementation(ctx context.Context, command []string) (*implementation, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; give a command that reads cases from its standard input", err)
	}
	return &implementation{cmd, in, bufio.NewReader(out)}, nil
}

func (p *implementation) answer(c vectorCase) ([]vectorAnswer, error) {
	// Ending a process that hangs also ends the reading below.
	late := time.AfterFunc(replyTimeout, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := json.NewEncoder(p.in).Encode(c); err != nil {
		return nil, fmt.Errorf("the implementation takes no more cases: %w", err)
	}
	line, err := p.lines.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the implementation did not answer: %w", err)
	}
	return readReply(line)
}

func readReply(line []byte) ([]vectorAnswer, error) {
	var r vectorReply
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("the answer is not JSON of one line: %w: %s", err, strings.TrimSpace(string(line)))
	}
	if r.Error != "" {
		return nil, errors.New(r.Error)
	}
	return r.Answers, nil
}

func (p *implementation) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}
