package app_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ledcast/sign/box"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// kills is how often the controller is killed; LEDCAST_KILLS sets another number.
const kills = 12

// A controller that is killed at random moments while it is written to: what it
// acknowledged is there, no seq is used twice, and its database is whole.
func TestKilled(t *testing.T) {
	slow(t)
	t.Parallel()
	rounds := kills
	if n, err := strconv.Atoi(os.Getenv("LEDCAST_KILLS")); err == nil {
		rounds = n
	}
	k := newVictim(t)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		k.start()
		if round == 0 {
			k.setUp()
		}
		k.verify()
		k.round(round, time.Duration(random.IntN(120))*time.Millisecond)
	}
	k.start()
	k.verify()
	status, text := k.do("GET", "/api/v1/audit/verify", "")
	if status != 200 {
		t.Errorf("the log: %d %s", status, text)
	}
	k.kill()
	db, err := sql.Open("sqlite", filepath.Join(k.data, "ledcast.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var whole string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&whole); err != nil || whole != "ok" {
		t.Errorf("integrity_check: %q %v", whole, err)
	}
	t.Logf("%d kills: %d acknowledged writes in all, %d programs seen at the broker, %s; integrity_check %s", rounds,
		k.writes, len(k.seqs), strings.TrimSpace(text), whole)
	if k.writes < rounds || len(k.seqs) < rounds/2 {
		t.Errorf("too little happened between the kills: %d writes, %d programs", k.writes, len(k.seqs))
	}
}

type victim struct {
	t               *testing.T
	bin, data       string
	args, env       []string // more of both
	cmd             *exec.Cmd
	url, token      string
	writes          int
	mu              sync.Mutex
	acked           map[string]string // path → content of the last write that was acknowledged
	tried           map[string]string // path → content of the write that was cut off
	seqs            map[int64]string  // of the sign's programs → digest
	client          http.Client
	listening       context.CancelFunc
	listenerStopped chan error
}

// newVictim builds the controller, for a folder of its own.
func newVictim(t *testing.T) *victim {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "controller")
	if out, err := exec.Command("go", "build", "-o", bin, "ledcast/controller").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return &victim{t: t, bin: bin, data: filepath.Join(dir, "data"), acked: map[string]string{},
		tried: map[string]string{}, seqs: map[int64]string{}}
}

func (k *victim) start() {
	k.t.Helper()
	args := append([]string{"serve", "--data", k.data, "--listen", "127.0.0.1:0"}, k.args...)
	if k.args == nil {
		args = append(args, "--mqtt-listen", "127.0.0.1:0")
	}
	k.cmd = exec.Command(k.bin, args...)
	k.cmd.Env = append(os.Environ(), k.env...)
	said, err := os.OpenFile(k.data+".log", os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		k.t.Fatal(err)
	}
	defer said.Close()
	k.cmd.Stderr = said
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = k.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		k.t.Fatalf("it did not start: %v %s", err, k.said())
	}
	k.url = strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(line, "ledcast:")), "/")
	text, err := os.ReadFile(filepath.Join(k.data, "tokens.json"))
	if err != nil {
		k.t.Fatal(err)
	}
	var tokens map[string]string
	if err := json.Unmarshal(text, &tokens); err != nil {
		k.t.Fatal(err)
	}
	k.token = tokens["admin"]
	k.client = http.Client{Timeout: patience, Transport: &http.Transport{}}
}

// said is what it printed to stderr in all its starts.
func (k *victim) said() string {
	k.t.Helper()
	text, err := os.ReadFile(k.data + ".log")
	if err != nil {
		k.t.Fatal(err)
	}
	return string(text)
}

func (k *victim) kill() {
	k.t.Helper()
	if err := k.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		k.t.Fatal(err)
	}
	_ = k.cmd.Wait() // it was killed
	k.client.CloseIdleConnections()
}

// try sends a request to something that may die meanwhile.
func (k *victim) try(method, path, body string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(k.t.Context(), method, k.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := k.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

func (k *victim) do(method, path, body string) (int, string) {
	k.t.Helper()
	status, text, err := k.try(method, path, body)
	if err != nil {
		k.t.Fatal(err)
	}
	return status, text
}

func (k *victim) setUp() {
	k.t.Helper()
	for path, body := range map[string]string{
		"owners/viet-ads": `{"name":"Việt"}`,
	} {
		if status, text := k.do("PUT", "/api/v1/"+path, body); status != 201 {
			k.t.Fatal(status, text)
		}
	}
	for _, x := range [][2]string{
		{"owners/public/messages/m1", `{"variants":[{"lang":"vi","body":"một"}]}`},
		{"owners/public/playlists/list", `{"items":[{"message":"m1"}]}`},
		{"signs/k-001", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"],"playlist":"public/list"}`},
	} {
		if status, text := k.do("PUT", "/api/v1/"+x[0], x[1]); status != 201 {
			k.t.Fatal(status, text)
		}
	}
}

// verify reads everything that was acknowledged.
func (k *victim) verify() {
	k.t.Helper()
	for path, want := range k.acked {
		status, text := k.do("GET", path, "")
		if status != 200 || !strings.Contains(text, want) && (k.tried[path] == "" || !strings.Contains(text, k.tried[path])) {
			k.t.Errorf("%s: acknowledged %q, and now %d %s", path, want, status, text)
		}
	}
}

// round listens as the sign, writes from several sides, and kills.
func (k *victim) round(round int, after time.Duration) {
	k.t.Helper()
	_, text := k.do("POST", "/api/v1/signs/k-001/credentials", "{}")
	var conf box.Config
	if err := json.Unmarshal([]byte(text), &conf); err != nil {
		k.t.Fatal(err, text)
	}
	k.listen(conf)
	k.tried = map[string]string{}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	began := make(chan struct{}, 3)
	for w := range 3 {
		path := fmt.Sprintf("/api/v1/owners/public/messages/w%d", w)
		if w == 0 { // what the sign shows: each change is a new program
			path = "/api/v1/owners/public/messages/m1"
		}
		writers.Add(1)
		go func() {
			defer writers.Done()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				content := fmt.Sprintf("lần %d.%d.%d", round, w, i)
				k.mu.Lock()
				k.tried[path] = content
				k.mu.Unlock()
				status, text, err := k.try("PUT", path, `{"variants":[{"lang":"vi","body":"`+content+`"}]}`)
				if err != nil {
					return // it was killed
				}
				k.mu.Lock()
				if status/100 == 2 {
					k.acked[path] = content
					k.writes++
				} else {
					k.t.Errorf("%s: %d %s", path, status, text)
				}
				k.mu.Unlock()
				if i == 0 {
					began <- struct{}{}
				}
			}
		}()
	}
	for range 3 {
		<-began
	}
	timer := time.NewTimer(after) // a random moment of its life
	<-timer.C
	k.kill()
	close(stop)
	writers.Wait()
	k.listening()
	<-k.listenerStopped
}

// listen notes each program that the broker has for the sign.
func (k *victim) listen(conf box.Config) {
	k.t.Helper()
	l, err := link.New(link.Options{Broker: conf.Broker, ClientID: conf.Sign, Username: conf.Sign, Password: conf.Password,
		Up: func(c link.Conn) {
			go func() {
				_ = c.Subscribe(context.Background(), map[string]byte{wire.SignTopic(conf.Sign, wire.LeafProgram): 0})
			}() // it may be killed meanwhile
		},
		Message: func(m link.Message) {
			p, err := wire.StoredProgram(m.Payload)
			if err != nil {
				k.t.Errorf("a program that cannot be read: %v", err)
				return
			}
			digest := wire.Digest(m.Payload)
			k.mu.Lock()
			defer k.mu.Unlock()
			if before, used := k.seqs[p.Seq]; used && before != digest {
				k.t.Errorf("seq %d was used twice", p.Seq)
			}
			k.seqs[p.Seq] = digest
		}})
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(k.t.Context())
	k.listening, k.listenerStopped = cancel, make(chan error, 1)
	go func() { k.listenerStopped <- l.Run(ctx) }()
}
