package box

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// lines is a log that tests read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// with are the lines that hold all of some words.
func (l *lines) with(words ...string) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range strings.Split(l.buf.String(), "\n") {
		if line != "" && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			out = append(out, line)
		}
	}
	return out
}

// logged gives a box such a log at the level of `sign run`.
func logged(l *lines) func(*Options) {
	return func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
}

// A broker that lost what it retained is asked again after 5 s, then twice as late each time, and no longer once the
// sign has keys and a program (B7).
func TestASignWithNothingSubscribesAgain(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	missing := []string{"keys", "program", "both"}[r.IntN(3)]
	comes := time.Duration(r.IntN(1500)+1) * time.Second
	t.Logf("seed %d: without %s for %v", seed, missing, comes)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keys, program := wire.TopicKeys, wire.SignTopic(w.conf.Sign, wire.LeafProgram)
		w.n.swap(keys, w.seal(rootKey, wire.TypKeys, w.keySet()))
		w.n.swap(program, w.seal(programKey, wire.TypProgram, w.program(1)))
		w.n.holdBack(keys, missing != "program")
		w.n.holdBack(program, missing != "keys")
		w.start(true)
		defer w.halt()
		began := time.Now()
		time.Sleep(comes)
		w.n.holdBack(keys, false)
		w.n.holdBack(program, false)
		want := []time.Duration{0}
		for at, gap := 5*time.Second, 5*time.Second; ; {
			want = append(want, at)
			if at >= comes {
				break
			}
			gap = min(2*gap, 5*time.Minute)
			at += gap
		}
		time.Sleep(30 * time.Minute)
		w.expect("item-1", timeline.WhyProgram)
		var got []time.Duration
		w.n.mu.Lock()
		for _, at := range w.n.asked {
			got = append(got, at.Sub(began))
		}
		w.n.mu.Unlock()
		if !slices.Equal(got, want) {
			t.Errorf("subscribed at %v, want %v", got, want)
		}
	})
}

// A sign that has a program goes on with it, although the broker has none: it asks for nothing.
func TestASignWithAProgramAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.n.swap(wire.SignTopic(w.conf.Sign, wire.LeafProgram), nil)
		w.n.power(false)
		time.Sleep(time.Minute)
		w.n.power(true)
		synctest.Wait()
		w.n.mu.Lock()
		before := len(w.n.asked)
		w.n.mu.Unlock()
		time.Sleep(time.Hour)
		w.expect("item-1", timeline.WhyProgram)
		w.n.mu.Lock()
		defer w.n.mu.Unlock()
		if n := len(w.n.asked) - before; n > 1 {
			t.Errorf("subscribed %d times in an hour", n)
		}
	})
}

// The sign says at once why it is not connected and says it again when the reason changes (B8). A normal start warns of
// nothing.
func TestWhatASignSaysOfItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var l lines
		w.n.refuse = packets.ErrorRefusedNotAuthorised
		w.start(true, logged(&l))
		if got := l.with("level=WARN", "not connected to the broker", "not Authorized", "memory:1"); len(got) != 1 ||
			len(l.with()) != 1 {
			t.Fatalf("a refused login: %q", l.with())
		}
		w.n.mu.Lock()
		w.n.refuse = nil
		w.n.mu.Unlock()
		w.n.power(true)
		synctest.Wait()
		if got := l.with("level=INFO", "connected to the broker"); len(got) != 1 {
			t.Errorf("connected: %q", l.with())
		}
		if s := w.n.lastStatus(t, "qn-001"); !slices.Contains(s.Faults, "login-refused") {
			t.Errorf("faults %v", s.Faults)
		}
		time.Sleep(11 * time.Minute)
		if s := w.n.lastStatus(t, "qn-001"); slices.Contains(s.Faults, "login-refused") {
			t.Errorf("faults %v five minutes later", s.Faults)
		}
		w.halt()

		l = lines{}
		w.dir = t.TempDir()
		w.start(true, logged(&l))
		defer w.halt()
		// A broker sends what it retains in any order.
		w.sendProgram(w.program(1))
		w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
		w.sendKeys(rootKey)
		w.expect("storm", timeline.WhyAlert)
		if got := l.with("level=WARN"); len(got) > 0 {
			t.Errorf("a first start warns: %q", got)
		}
	})
}

// A login is known as good over a restart, and a new one is not.
func TestALoginIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i, password := range []string{"x", "x", "y", "y"} {
			w.conf.Password = password
			w.start(true)
			time.Sleep(time.Second)
			w.halt()
			if want := i%2 == 1; w.n.accepted[i] != want {
				t.Errorf("start %d with %q: accepted before %v, want %v", i, password, w.n.accepted[i], want)
			}
		}
		text, err := os.ReadFile(filepath.Join(w.dir, "state.json"))
		if err != nil || bytes.Contains(text, []byte(`"y"`)) {
			t.Errorf("the state holds the password: %s, %v", text, err)
		}
	})
}
