package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ledcast/playlists"
)

// soak is a controller, three signs and a Mosquitto, each a process of its own, and what the controller has
// acknowledged.
type soak struct {
	t      *testing.T
	random *rand.Rand
	k      *victim
	addr   string // of the broker
	config string
	broker *exec.Cmd
	signs  []*signProcess
	author *entered
	second *entered
	made   int
	// acknowledged is what the controller said of each alert: running or ended. "" is an answer that never came.
	acknowledged map[string]playlists.AlertState
	priority     map[string]int
	faults       []func() // that end what is broken
}

type signProcess struct {
	id, bin, config, data, face string
	cmd                         *exec.Cmd
}

func (p *signProcess) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(p.bin, "run", "--config", p.config, "--data", p.data, "--output", "png:"+p.face)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd := p.cmd
	t.Cleanup(func() { _ = cmd.Process.Kill() })
}

func (p *signProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
}

// shows is the item on the face, and why.
func (p *signProcess) shows(t *testing.T) change { return (&attached{face: p.face}).last(t) }

// TestSoakOfFaults breaks a broker, disks, clocks and processes at random while alerts are made, approved and
// cancelled. Whenever all is well again every sign shows the right thing within 30 s, and nothing that was
// acknowledged is lost. LEDCAST_SOAK is how long it goes on, and LEDCAST_SEED replays a run.
func TestSoakOfFaults(t *testing.T) {
	span, err := time.ParseDuration(os.Getenv("LEDCAST_SOAK"))
	if err != nil {
		t.Skip("set LEDCAST_SOAK=2m, or another time")
	}
	seed := uint64(time.Now().UnixNano())
	if x, err := strconv.ParseUint(os.Getenv("LEDCAST_SEED"), 10, 64); err == nil {
		seed = x
	}
	t.Logf("seed %d: LEDCAST_SEED=%d replays it", seed, seed)
	s := newSoak(t, seed)
	end := time.Now().Add(span)
	for round := 1; time.Now().Before(end); round++ {
		s.round(round)
	}
	s.k.kill()
}

func newSoak(t *testing.T, seed uint64) *soak {
	t.Helper()
	dir := t.TempDir()
	controller, sign := filepath.Join(dir, "controller"), filepath.Join(dir, "sign")
	for bin, args := range map[string][]string{controller: {"-tags", "clockoffset", "ledcast/controller"},
		sign: {"ledcast/sign"}} {
		if out, err := exec.Command("go", append([]string{"build", "-o", bin}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s := &soak{t: t, random: rand.New(rand.NewPCG(seed, 0)), addr: freeAddr(t),
		acknowledged: map[string]playlists.AlertState{}, priority: map[string]int{}}
	_, port, _ := net.SplitHostPort(s.addr)
	s.config = fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\n", port)
	s.run()
	s.k = &victim{t: t, bin: controller, data: filepath.Join(smallDisk(t, 96<<20), "data"),
		args: []string{"--broker", "mqtt://" + s.addr}}
	s.k.start()
	s.k.setUp()
	links := s.k.links()
	first, second := s.k.enter(links[0]), s.k.enter(links[1])
	first.want("PUT", "/api/v1/users/lan", `{"owner":"public","role":"author"}`, 201)
	s.author = s.k.enter(first.link("lan")).token("lan-own", "author")
	second.want("PUT", "/api/v1/users/minh", `{"owner":"public","role":"approver"}`, 201)
	s.second = s.k.enter(second.link("minh")).token("minh-own", "approver")
	for i := range 3 {
		id := fmt.Sprintf("soak-%d", i)
		first.want("PUT", "/api/v1/signs/"+id, `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"],`+
			`"playlist":"public/list"}`, 201)
		p := &signProcess{id: id, bin: sign, config: filepath.Join(dir, id+".json"),
			data: filepath.Join(smallDisk(t, 4<<20), "data"), face: filepath.Join(dir, id)}
		writeFile(t, p.config, first.want("POST", "/api/v1/signs/"+id+"/credentials", "{}", 200))
		p.start(t)
		s.signs = append(s.signs, p)
	}
	s.quiet("the start")
	return s
}

func (s *soak) run() { s.t.Helper(); s.broker = runMosquitto(s.t, s.addr, s.config) }

func (s *soak) restart(offset time.Duration) {
	s.t.Helper()
	s.k.kill()
	s.k.env = nil
	if offset != 0 {
		s.k.env = []string{"LEDCAST_CLOCK_OFFSET=" + offset.String()}
	}
	s.k.start()
	s.author.url, s.second.url = s.k.url, s.k.url
}

// token is the person with a token of their own: a session ends when the clock is ten days ahead.
func (p *entered) token(id, role string) *entered {
	p.t.Helper()
	var made struct{ Secret string }
	text := p.want("PUT", "/api/v1/tokens/"+id, fmt.Sprintf(`{"owner":"public","role":%q}`, role), 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		p.t.Fatal(err)
	}
	return &entered{t: p.t, url: p.url, client: http.Client{Transport: bearer(made.Secret)}}
}

// fault breaks something and notes how it is mended.
func (s *soak) fault() string {
	t := s.t
	sign := s.signs[s.random.IntN(len(s.signs))]
	mend := func(f func()) { s.faults = append(s.faults, f) }
	switch n := s.random.IntN(9); n {
	case 0:
		_ = s.broker.Process.Kill()
		_ = s.broker.Wait()
		mend(s.run)
		return "the broker is killed and wiped"
	case 1:
		_ = s.broker.Process.Signal(syscall.SIGSTOP)
		b := s.broker
		mend(func() { _ = b.Process.Signal(syscall.SIGCONT) })
		return "the broker is stopped"
	case 2:
		sign.kill()
		mend(func() { sign.start(t) })
		return sign.id + " has no power"
	case 3:
		for range 5 {
			sign.kill()
			sign.start(t)
			time.Sleep(time.Duration(s.random.IntN(1000)) * time.Millisecond)
		}
		return sign.id + " loses its power five times"
	case 4:
		mend(fill(t, filepath.Dir(sign.data)))
		return "the disk of " + sign.id + " is full"
	case 5:
		mend(fill(t, filepath.Dir(s.k.data)))
		return "the controller's disk is full"
	case 6:
		s.restart(0)
		return "the controller is killed"
	default:
		offsets := []time.Duration{-400 * 24 * time.Hour, -20_000 * 24 * time.Hour, -24 * time.Hour, -time.Hour,
			3 * time.Hour, 10 * 24 * time.Hour}
		offset := offsets[s.random.IntN(len(offsets))]
		s.restart(offset)
		mend(func() { s.restart(0) })
		return fmt.Sprintf("the controller's clock is off by %v", offset)
	}
}

// act makes, approves or cancels an alert. What is answered with 200 or 201 counts, whatever is broken.
func (s *soak) act() string {
	running := []string{}
	for id, state := range s.acknowledged {
		if state == playlists.AlertRunning {
			running = append(running, id)
		}
	}
	if len(running) > 2 || len(running) > 0 && s.random.IntN(2) == 0 {
		id := running[s.random.IntN(len(running))]
		s.acknowledged[id] = ""
		if status, _ := s.ask(s.author, "POST", "/api/v1/alerts/"+id+"/cancel", "{}"); status == 200 {
			s.acknowledged[id] = playlists.AlertEnded
		}
		return "cancel " + id + ": " + string(s.acknowledged[id])
	}
	s.made++
	id := fmt.Sprintf("a-%d", s.made)
	s.priority[id] = s.made
	order := fmt.Sprintf(`{"id":%q,"text":"TIN %d","areas":["quang-ngai"],"until":%d,"priority":%d}`, id, s.made,
		time.Now().Unix()+3*3600, s.made)
	if status, text := s.ask(s.author, "POST", "/api/v1/alerts", order); status != 201 {
		return fmt.Sprintf("make %s: not taken: %d %.120s", id, status, text)
	}
	s.acknowledged[id] = ""
	_, text := s.ask(s.second, "GET", "/api/v1/alerts/"+id+"/preview", "")
	var read playlists.AlertPreview
	if json.Unmarshal([]byte(text), &read) != nil {
		return "preview " + id + ": not answered"
	}
	status, _ := s.ask(s.second, "POST", "/api/v1/alerts/"+id+"/approve",
		fmt.Sprintf(`{"signs":%d,"digest":%q}`, read.Signs, read.Digest))
	if status == 200 {
		s.acknowledged[id] = playlists.AlertRunning
	}
	return "approve " + id + ": " + string(s.acknowledged[id])
}

// ask is entered.do for something that may be broken.
func (s *soak) ask(p *entered, method, path, body string) (status int, text string) {
	client := p.client
	client.Timeout = 10 * time.Second
	req, err := http.NewRequestWithContext(s.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil {
		return 0, ""
	}
	return res.StatusCode, b.String()
}

func (s *soak) round(n int) {
	s.t.Helper()
	var did []string
	for range 1 + s.random.IntN(2) {
		did = append(did, s.fault())
		for range s.random.IntN(3) {
			did = append(did, s.act())
		}
		time.Sleep(time.Duration(s.random.IntN(3000)) * time.Millisecond)
	}
	for _, f := range s.faults {
		f()
	}
	s.faults = nil
	did = append(did, s.act())
	s.t.Logf("round %d: %s", n, strings.Join(did, "; "))
	s.quiet(fmt.Sprintf("round %d", n))
}

// quiet waits until every sign shows what it should, and checks what was acknowledged.
func (s *soak) quiet(when string) {
	s.t.Helper()
	const within = 30 * time.Second
	began := time.Now()
	want := s.right()
	for {
		wrong := ""
		for _, p := range s.signs {
			got := p.shows(s.t)
			if item := map[bool]string{true: got.Item, false: ""}[got.Why == "alert"]; item != want ||
				want == "" && got.Why != "program" {
				wrong += fmt.Sprintf(" %s shows %q (%s);", p.id, got.Item, got.Why)
			}
		}
		if wrong == "" {
			break
		}
		if time.Since(began) > within {
			s.t.Fatalf("%s: within %v want alert %q:%s\n%s", when, within, want, wrong, s.tail())
		}
		time.Sleep(100 * time.Millisecond)
		want = s.right()
	}
	s.t.Logf("%s: right after %v, with alert %q", when, time.Since(began).Round(100*time.Millisecond), want)
}

// right is the alert that should be on the faces by what the controller has acknowledged, and by its own word for
// what it did not answer.
func (s *soak) right() (top string) {
	s.t.Helper()
	var list struct{ Items []playlists.AlertView }
	status, text := s.ask(s.author, "GET", "/api/v1/alerts", "")
	if status != 200 || json.Unmarshal([]byte(text), &list) != nil {
		return "not up yet"
	}
	for _, v := range list.Items {
		id := v.ID
		state, made := s.acknowledged[id]
		if !made {
			continue
		}
		if state == "" {
			state = v.State
			if v.State != playlists.AlertPending {
				s.acknowledged[id] = v.State
			}
		}
		if state != v.State {
			s.t.Fatalf("%s was acknowledged as %s and is %s (%s)", id, state, v.State, v.Why)
		}
		if state == playlists.AlertRunning && s.priority[id] >= s.priority[top] {
			top = id
		}
	}
	return top
}

func (s *soak) tail() string {
	text := s.k.said()
	return text[max(0, len(text)-4000):]
}
