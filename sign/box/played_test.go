package box

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// auditor is the controller's side of the proof: it checks, counts once, and
// gives receipts.
type auditor struct {
	w      *world
	seen   int // messages read so far
	n      map[string]int64
	prev   map[string]string
	totals map[string]wire.Play // by item and why
	all    []*wire.Played
}

func newAuditor(w *world) *auditor {
	return &auditor{w: w, n: map[string]int64{}, prev: map[string]string{}, totals: map[string]wire.Play{}}
}

func (a *auditor) take() {
	a.w.t.Helper()
	a.w.n.mu.Lock()
	said := a.w.n.said[a.seen:]
	a.seen = len(a.w.n.said)
	a.w.n.mu.Unlock()
	status := a.w.n.lastStatus(a.w.t, a.w.conf.Sign)
	for _, m := range said {
		if m.Topic != wire.SignTopic(a.w.conf.Sign, wire.LeafPlayed) {
			continue
		}
		pub, err := wire.DecodeKey(status.Key.X)
		if err != nil {
			a.w.t.Fatal(err)
		}
		p, err := wire.OpenPlayed(m.Payload, a.w.conf.Sign, pub)
		if err != nil {
			a.w.t.Fatalf("a record that cannot be taken: %v", err)
		}
		if p.N == a.n[p.Chain]+1 {
			if p.Prev != a.prev[p.Chain] {
				a.w.t.Fatalf("record %d does not continue its chain", p.N)
			}
			a.n[p.Chain], a.prev[p.Chain] = p.N, wire.Digest(m.Payload)
			a.all = append(a.all, p)
			for _, x := range p.Plays {
				t := a.totals[x.Item+" "+x.Why]
				t.Count += x.Count
				t.MS += x.MS
				a.totals[x.Item+" "+x.Why] = t
			}
		} else if p.N > a.n[p.Chain] {
			a.w.t.Fatalf("record %d after %d", p.N, a.n[p.Chain])
		}
		a.w.request(wire.OpPlayedHave, func(q *wire.SignRequest) { q.Chain, q.N = p.Chain, p.N })
	}
}

// kill ends the sign as a power cut would: what it writes from now on is lost.
// The next start finds the disk as it was.
func (w *world) kill() {
	w.t.Helper()
	copied := w.t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(w.dir)); err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	<-w.done
	w.dir = copied
}

// A day with cuts, clean stops, kills and a lost disk: what the auditor
// counted is what the output was given. How long the picture stood that a kill
// cut short nobody knows: each kill may cost one picture's time and no count.
func TestProofOfPlay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := newAuditor(w)
		counts, ms := map[string]int64{}, map[string]int64{}
		account := func(until int64) { // what this run's output was given
			all := w.out.all()
			for i, p := range all {
				k := p.Item + " " + p.Why
				counts[k]++
				end := until
				if i+1 < len(all) {
					end = all[i+1].AtMS
				}
				ms[k] += end - p.AtMS
			}
		}
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1, 2, 3))
		kills := int64(0)
		for hour := range 24 {
			switch hour % 6 {
			case 1:
				w.n.power(false)
			case 3:
				w.n.power(true)
			case 4:
				now := time.Now().UnixMilli()
				w.kill()
				kills++
				account(now)
				w.start(true)
			case 5:
				now := time.Now().UnixMilli()
				w.halt()
				account(now)
				w.start(true)
			}
			time.Sleep(59*time.Minute + 7*time.Second)
			synctest.Wait()
			a.take()
		}
		w.n.power(true)
		// Everything is sent; then the disk is lost. What was put out between
		// the last record and the loss is lost with it, and said by nobody.
		now := time.Now().UnixMilli()
		w.halt()
		account(now)
		w.start(true)
		for range 200 {
			time.Sleep(time.Second)
			synctest.Wait()
			a.take()
		}
		w.kill()
		chains := len(a.n)
		w.dir = t.TempDir()
		w.start(true)
		time.Sleep(2 * time.Hour) // the spool empties, one receipt after another
		for range 200 {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			a.take()
		}
		now = time.Now().UnixMilli()
		w.halt()
		account(now)
		w.start(true) // sends what the stop left
		for range 20 {
			time.Sleep(time.Second)
			synctest.Wait()
			a.take()
		}
		if left, _ := filepath.Glob(filepath.Join(w.dir, "played", "*.jws")); len(left) > 0 {
			t.Errorf("%d records wait for a receipt; the chains stand at %v", len(left), a.n)
		}
		if len(a.n) != chains+1 {
			t.Errorf("%d chains, want a new one after the disk was lost", len(a.n))
		}
		for k, n := range counts {
			if got := a.totals[k]; got.Count != n || got.MS > ms[k] || got.MS < ms[k]-5000*kills {
				t.Errorf("%s: counted %d times, %d ms; put out %d times, %d ms", k, got.Count, got.MS, n, ms[k])
			}
		}
		w.halt()
	})
}

// A kill between any two steps of making a record neither loses nor doubles a
// play.
func TestRecordSurvivesACut(t *testing.T) {
	dir := t.TempDir()
	c := &chain{}
	k, err := openPlayLog(dir, c, 1000)
	if err != nil {
		t.Fatal(err)
	}
	show := func(k *playLog, item string, at int64) {
		t.Helper()
		if err := k.begin(&timeline.Shown{Item: item, Why: timeline.WhyProgram}, at); err != nil {
			t.Fatal(err)
		}
	}
	show(k, "a", 1000)
	show(k, "b", 3000)
	show(k, "a", 4000)
	// Killed: the journal tells; the play that was on counts without its time.
	k, err = openPlayLog(dir, c, 9000)
	if err != nil {
		t.Fatal(err)
	}
	until, ok := k.cutOff()
	p, err := k.record("qn-001", until)
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	want := []wire.Play{{Item: "a", Why: "program", Count: 2, MS: 2000}, {Item: "b", Why: "program", Count: 1, MS: 1000}}
	if fmt.Sprint(p.Plays) != fmt.Sprint(want) || p.N != 1 || p.Prev != "" || p.FromMS != 1000 || p.UntilMS != 4000 {
		t.Fatalf("record %+v", p)
	}
	// Cut after the chain was saved and before the journal began anew.
	*c = chain{ID: c.ID, N: 1, Prev: "x"}
	if k, err = openPlayLog(dir, c, 9000); err != nil {
		t.Fatal(err)
	}
	if len(k.totals) != 0 {
		t.Errorf("what is in the record would be counted again: %v", k.totals)
	}
	// Cut before the chain was saved: the file beyond its end is not sent.
	if err := os.WriteFile(filepath.Join(dir, recordName(2)), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err = openPlayLog(dir, c, 9000); err != nil {
		t.Fatal(err)
	}
	if n, _ := k.oldest(); n != 0 || len(k.spool) != 1 {
		t.Errorf("record %d would be sent before it is one; files %v", n, k.spool)
	}
}

// Power cuts in a row, each in the first moment of the same play: a record never claims more showings than it has
// milliseconds, or one.
func TestShowingsWithoutTimeCountOnce(t *testing.T) {
	dir := t.TempDir()
	journal := `{"k":"n","n":1}` + "\n" + strings.Repeat(`{"k":"b","t":1000,"Item":"a","Why":"program"}`+"\n", 3)
	if err := os.WriteFile(filepath.Join(dir, journalName), []byte(journal), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := openPlayLog(dir, &chain{ID: "c"}, 9000)
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.record("qn-001", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Plays) != 1 || p.Plays[0].Count != 1 || p.Plays[0].MS != 0 {
		t.Errorf("plays %+v", p.Plays)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	doc, err := wire.Seal(key, wire.TypPlayed, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.OpenPlayed(doc, "qn-001", key.Public().(ed25519.PublicKey)); err != nil {
		t.Error(err)
	}
}
