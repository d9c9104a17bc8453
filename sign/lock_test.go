package main

import (
	"strings"
	"testing"
)

// A second sign on one data folder is refused, and taken when the first has ended.
func TestLockData(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockData(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second sign on the folder: %v", err)
	}
	unlock()
	unlock, err = lockData(dir)
	if err != nil {
		t.Error(err)
	}
	unlock()
}
