package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	journal "ledcast/controller/internal/store/outage"
	"ledcast/controller/internal/store/postgres/pgtest"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// dbWorld is a controller as a process of its own, with its database behind a proxy, and a sign.
type dbWorld struct {
	*victim
	proxy          *pgtest.Proxy
	author, second *entered
	sign           *attached
	priority       int // of the last alert
}

func newDBWorld(t *testing.T) *dbWorld {
	t.Helper()
	w := &dbWorld{proxy: pgtest.NewProxy(t, pgtest.Database(t)), victim: newVictim(t)}
	w.args = []string{"--database", w.proxy.DSN, "--mqtt-listen", freeAddr(t)}
	w.start()
	w.setUp()
	links := w.links()
	second := w.enter(links[1])
	second.want("PUT", "/api/v1/users/minh", `{"owner":"public","role":"approver"}`, 201)
	w.author, w.second = w.enter(links[0]), w.enter(second.link("minh"))
	config := filepath.Join(t.TempDir(), "sign.json")
	w.author.want("PUT", "/api/v1/signs/db-1", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai/son-tinh"],`+
		`"playlist":"public/list"}`, 201)
	writeFile(t, config, w.author.want("POST", "/api/v1/signs/db-1/credentials", "{}", 200))
	w.sign = attach(t, config, t.TempDir(), t.TempDir())
	return w
}

// run makes and approves an alert, and waits until the sign shows it.
func (w *dbWorld) run(id string) {
	w.t.Helper()
	w.priority++
	w.author.want("POST", "/api/v1/alerts", fmt.Sprintf(`{"id":%q,"text":"TIN %s","areas":["quang-ngai"],"until":%d,`+
		`"priority":%d}`, id, strings.ToUpper(id), time.Now().Unix()+3600, w.priority), 201)
	if status, text := w.second.approve(id); status != 200 {
		w.t.Fatal(status, text)
	}
	eventually(w.t, id+" shows", func() bool { return w.sign.last(w.t).Item == id })
}

func (w *dbWorld) ready() bool {
	status, _, err := w.try("GET", "/readyz", "")
	return err == nil && status == 200
}

func (w *dbWorld) alert(id string) (v playlists.AlertView) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.author.want("GET", "/api/v1/alerts/"+id, "", 200)), &v); err != nil {
		w.t.Fatal(err)
	}
	return v
}

// A database server dies, or no longer answers, while an alert runs. That is noticed. Writes are refused with the
// reason. The alert can be cancelled, and signs keep their connections. All that was acknowledged is in the log when
// the server is back, also if the controller is killed meanwhile.
func TestCancelWithoutDatabase(t *testing.T) {
	slow(t)
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		hangs, killed := seed%2 == 0, seed/2 == 0
		t.Run(fmt.Sprintf("hangs=%t,killed=%t", hangs, killed), func(t *testing.T) {
			t.Parallel()
			w := newDBWorld(t)
			for i := range 1 + r.IntN(3) {
				w.run(fmt.Sprint("before-", i))
			}
			w.run("storm")
			eventually(t, "ready", w.ready)
			online := strings.Count(w.said(), "sign online")
			began := time.Now()
			if hangs {
				w.proxy.Freeze()
			} else {
				w.proxy.Cut()
			}
			if r.IntN(2) == 0 { // otherwise the cancel is what meets the outage first
				eventually(t, "not ready", func() bool { return !w.ready() })
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("noticed after %v", took)
				}
			}
			status, text := w.author.do("POST", "/api/v1/alerts/storm/cancel", "{}")
			if status != 202 || !strings.Contains(text, `"unsaved":true`) {
				t.Fatalf("the cancel: %d %s\n%s", status, text, w.said())
			}
			eventually(t, "the alert leaves the face", func() bool { return w.sign.last(t).Item != "storm" })
			status, text = w.author.do("PUT", "/api/v1/owners/public/messages/m2", `{"variants":[{"lang":"vi","body":"hai"}]}`)
			if status != 503 || !strings.Contains(text, "database-away") {
				t.Errorf("a write: %d %s", status, text)
			}
			w.author.want("GET", "/api/v1/alerts", "", 200)
			if n := strings.Count(w.said(), "sign online"); n != online {
				t.Errorf("signs lost their connections:\n%s", w.said())
			}
			if testing.Verbose() {
				t.Log(w.said())
			}
			if n := strings.Count(w.said(), "level=WARN") + strings.Count(w.said(), "level=ERROR"); n > 12 {
				t.Errorf("%d warnings:\n%s", n, w.said())
			}
			if killed {
				w.kill()
			}
			w.proxy.Close()
			w.proxy.Pass()
			if killed {
				w.start()
				w.author.url, w.second.url = w.url, w.url
			}
			eventually(t, "ready again", w.ready)
			eventually(t, "nothing waits", func() bool {
				_, err := os.Stat(filepath.Join(w.data, journal.FileName))
				return os.IsNotExist(err)
			})
			if v := w.alert("storm"); v.State != playlists.AlertEnded || v.Why != playlists.EndCancelled {
				t.Errorf("the alert is %s (%s)", v.State, v.Why)
			}
			log := w.author.want("GET", "/api/v1/audit?before=9007199254740992&limit=9", "", 200)
			if !strings.Contains(log, `"why":"cancelled"`) {
				t.Errorf("the log does not have the cancel: %.2000s", log)
			}
			if want := "before-0"; w.sign.last(t).Item == "storm" || w.sign.last(t).Why != timeline.WhyAlert {
				t.Errorf("the sign shows %+v, want %s or another one that runs", w.sign.last(t), want)
			}
			w.run("after")
			w.sign.stop(t)
		})
	}
}

// A controller that starts before its database waits for it.
func TestStartBeforeDatabase(t *testing.T) {
	slow(t)
	t.Parallel()
	w := newDBWorld(t)
	w.kill()
	w.proxy.Cut()
	back := time.AfterFunc(3*time.Second, w.proxy.Pass)
	defer back.Stop()
	w.start()
	eventually(t, "ready", w.ready)
	if n := strings.Count(w.said(), "waiting for the database"); n != 1 {
		t.Errorf("said %d times that it waits:\n%s", n, w.said())
	}
	w.sign.stop(t)
}
