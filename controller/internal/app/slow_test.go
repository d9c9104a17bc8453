package app_test

import "testing"

// slow leaves a test out of `go test -short` that waits for seconds of real time, or starts processes.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
}
