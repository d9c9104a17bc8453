package app_test

import (
	"strings"
	"testing"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/demo"
)

// An old machine comes back at the broker of the installation: both controllers say so, and the one that stays says
// when the other is gone.
func TestTwoControllersAtOneBroker(t *testing.T) {
	slow(t)
	t.Parallel()
	o := newOutage(t, anybody)
	eventually(t, "ready", o.ready)
	other, err := app.New(t.Context(), app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Broker: "mqtt://" + o.addr,
		Guest: demo.Guest()})
	if err != nil {
		t.Fatal(err)
	}
	other.FilesWritten()
	says := func(err error) bool { return err != nil && strings.Contains(err.Error(), "another controller") }
	eventually(t, "the old one notices", func() bool { return says(other.Ready()) })
	eventually(t, "the present one notices", func() bool {
		status, text := o.get("/readyz")
		return status == 503 && strings.Contains(text, "another controller")
	})
	if _, text := o.get("/metrics"); !strings.Contains(text, "\nledcast_second_controller 1\n") {
		t.Error("the metric does not say it")
	}
	if n := o.log.with("level=ERROR", "another controller publishes"); n != 1 {
		t.Errorf("said %d times:\n%s", n, o.log)
	}
	if err := other.Stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "ready again", o.ready)
	eventually(t, "its end is said", func() bool {
		return o.log.with("level=WARN", "the other controller is gone") == 1
	})
}
