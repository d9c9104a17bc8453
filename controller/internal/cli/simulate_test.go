package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ledcast/controller/internal/simulate"
)

// A small run, with every part of a large one: nothing is lost, every sign
// checks what it gets, and a set with a wrong signature is taken by none.
func TestSimulate(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, broker := range []string{"embedded", "mosquitto"} {
		t.Run(broker, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("mosquitto"); broker == "mosquitto" && err != nil {
				if _, err := os.Stat("/usr/sbin/mosquitto"); err != nil {
					if os.Getenv("CI") == "true" {
						t.Fatal("mosquitto is not installed; .ci/run installs it")
					}
					t.Skip("mosquitto is not installed")
				}
			}
			file := filepath.Join(t.TempDir(), "r.json")
			cmd := exec.CommandContext(t.Context(), self, "simulate", "--signs", "60", "--children", "2", "--rounds", "1",
				"--storm", "--broker", broker, "--out", file)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r simulate.Report
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Alerts) != 1 || len(r.Bare) != 1 || r.Storm == nil || r.Children != 2 || len(r.Classes) != 4 {
				t.Fatalf("the report is not of what was asked for: %s", data)
			}
			a, b, s := r.Alerts[0], r.Bare[0], r.Storm
			if a.Received != 60 || a.ShowedBy != 60 || a.Ended != 60 || b.Received != 60 || s.ShowedBy != 60 || s.Ended != 60 ||
				s.Connects < 60 || r.Lost != 0 {
				t.Errorf("not everywhere: %s", data)
			}
			if a.Messages != b.Messages || a.Bytes != b.Bytes || a.Messages < 120 {
				t.Errorf("alert and bare broker sent different things: %d messages of %d bytes, %d of %d", a.Messages, a.Bytes,
					b.Messages, b.Bytes)
			}
			if a.Receipt.P50 <= 0 || b.Receipt.P50 <= 0 || a.Showing.P99 <= 0 {
				t.Errorf("times are missing: %s", data)
			}
			if r.Forged != 60 || r.Rejected["bad-signature"] != 60 {
				t.Errorf("%d of 60 signs refused a forged set; refused %v", r.Forged, r.Rejected)
			}
		})
	}
}
