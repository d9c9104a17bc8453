package storetest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// CrashOn is the environment variable that turns the test binary into a process that writes until it is killed. Its
// value names the database. TestMain of the package must call CrashWriter.
const CrashOn = "LEDCAST_TEST_CRASH_ON"

const crashRound = "LEDCAST_TEST_CRASH_ROUND"

// CrashWriter writes until the process is killed if CrashOn is set. Otherwise it returns immediately. open opens
// the database that CrashOn names.
func CrashWriter(open func(ctx context.Context, name string) (store.Store, error)) {
	if name := os.Getenv(CrashOn); name != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(open, name, os.Getenv(crashRound)))
		os.Exit(3)
	}
}

// opening is the writer's first line, before it opens the database.
const opening = "opening"

// writeUntilKilled writes from several goroutines and prints a line after each acknowledged write. It returns only
// after an error.
func writeUntilKilled(open func(ctx context.Context, name string) (store.Store, error), name, round string) error {
	ctx := context.Background()
	fmt.Println(opening)
	s, err := open(ctx, name)
	if err != nil {
		return err
	}
	var out sync.Mutex
	ack := func(format string, a ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", a...) // not buffered: one write per line
	}
	failed := make(chan error)
	for w := range 2 {
		go func() {
			for i := 0; ; i++ {
				seqs, err := s.Documents().NextSeqs(ctx, "program", []string{"qn-001", "qn-002", "qn-001"}, 0, 7)
				if err != nil {
					failed <- err
					return
				}
				ack("seq qn-001 %d", seqs[0])
				ack("seq qn-002 %d", seqs[1])
				ack("seq qn-001 %d", seqs[2])
				o := store.Object{Kind: "message", Owner: "viet-ads", ID: fmt.Sprintf("m-%s-%d-%d", round, w, i),
					Data: []byte(`{"n":1}`)}
				if _, err := s.Objects().Put(ctx, o, store.Absent); err != nil {
					failed <- err
					return
				}
				ack("put %s 1", o.ID)
				docs, err := s.Documents().Issue(ctx, []playlists.Draft{
					{Role: "alerts", Subject: fmt.Sprintf("class-%d", w), IatMS: 3, Exp: 100},
					{Role: "program", Subject: "qn-002", IatMS: 7, Exp: 100, Keep: true},
				}, func(i int, seq int64) ([]byte, error) { return fmt.Appendf(nil, "signed %d", seq), nil })
				if err != nil {
					failed <- err
					return
				}
				for _, d := range docs {
					ack("doc %s/%s %d", d.Role, d.Subject, d.Seq)
				}
			}
		}()
	}
	return <-failed
}

// Crashed collects what the writers of all rounds have acknowledged.
type Crashed struct {
	seqs map[string]map[int64]bool // by role/subject: every allocated seq
	docs map[string][]int64        // by role/subject: the seqs of documents
	puts []string
}

// Note parses a line of the writer's output.
func (c *Crashed) Note(t *testing.T, line string) {
	if line == opening {
		return
	}
	f := strings.Fields(line)
	var n int64
	if len(f) != 3 {
		t.Fatalf("the writer printed %q", line)
	}
	if _, err := fmt.Sscan(f[2], &n); err != nil {
		t.Fatalf("the writer printed %q: %v", line, err)
	}
	subject := f[1]
	switch f[0] {
	case "put":
		c.puts = append(c.puts, f[1])
		return
	case "seq":
		subject = "program/" + subject
	case "doc":
		c.docs[subject] = append(c.docs[subject], n)
	}
	if c.seqs[subject] == nil {
		c.seqs[subject] = map[int64]bool{}
	}
	if c.seqs[subject][n] {
		t.Errorf("seq %d of %s was used twice", n, subject)
	}
	c.seqs[subject][n] = true
}

// NewCrashed returns an empty Crashed.
func NewCrashed() *Crashed {
	return &Crashed{seqs: map[string]map[int64]bool{}, docs: map[string][]int64{}}
}

// Writer starts a process that writes to the database called name until it is killed. The caller passes its lines
// to Note.
func (c *Crashed) Writer(t *testing.T, name string, round int) (cmd *exec.Cmd, lines *bufio.Scanner,
	stderr *strings.Builder) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), CrashOn+"="+name, fmt.Sprintf("%s=%d", crashRound, round))
	stderr = new(strings.Builder)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, bufio.NewScanner(stdout), stderr
}

// Kill starts a writing process rounds times and kills it at a random moment. It calls before at the beginning of
// each round, when no writer is running.
func (c *Crashed) Kill(t *testing.T, name string, rounds int, before func()) {
	t.Helper()
	for round := range rounds {
		before()
		cmd, lines, stderr := c.Writer(t, name, round)
		// The process is killed after a random number of lines of one goroutine, so the other goroutine can be
		// anywhere. Lines that it printed before it died count, too. The first three processes are killed while
		// they create the tables.
		left := 1
		if round >= 3 {
			left += rand.IntN(150)
		}
		for lines.Scan() {
			c.Note(t, lines.Text())
			if left--; left == 0 {
				must(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // "signal: killed"
		if left > 0 {
			t.Fatalf("round %d: the writer exited by itself: %s", round, stderr.String())
		}
	}
}

// Check fails the test if an acknowledged write is not in s, or if s would allocate a seq again.
func (c *Crashed) Check(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	for _, id := range c.puts {
		if _, err := s.Objects().Get(ctx, "message", "viet-ads", id); err != nil {
			t.Errorf("an acknowledged object is lost: %v", err)
		}
	}
	history := map[int64]string{}
	docs, err := s.Documents().History(ctx, "program", "qn-002", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		history[d.Seq] = string(d.JWS)
	}
	for subject, seqs := range c.docs {
		role, name, _ := strings.Cut(subject, "/")
		latest, err := s.Documents().Latest(ctx, role, name)
		if err != nil {
			t.Errorf("the latest document is lost: %v", err)
			continue
		}
		for _, seq := range seqs {
			if latest.Seq < seq {
				t.Errorf("the latest document of %s is %d, after %d was acknowledged", subject, latest.Seq, seq)
			}
			if role == "program" && history[seq] != fmt.Sprintf("signed %d", seq) {
				t.Errorf("the history has %q for %s %d", history[seq], subject, seq)
			}
		}
	}
	n := 0
	for subject, seqs := range c.seqs {
		role, name, _ := strings.Cut(subject, "/")
		next, err := nextSeq(ctx, s.Documents(), role, name, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		for seq := range seqs {
			n++
			if next <= seq {
				t.Errorf("the next seq of %s is %d, after %d was acknowledged", subject, next, seq)
			}
		}
	}
	t.Logf("%d objects, %d seqs and %d documents acknowledged, none lost", len(c.puts), n, len(docs))
}
