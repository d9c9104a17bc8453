package app_test

import (
	"strings"
	"testing"

	"ledcast/controller/internal/app"
)

func TestOneControllerAFolder(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	_, err := app.New(t.Context(), app.Options{Data: d.data, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "in use by another controller") {
		t.Errorf("a second controller on the folder: %v", err)
	}
}
