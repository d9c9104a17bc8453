//go:build !linux

package pgtest

import "testing"

func start() (address string, stop func(), err error) { return "", func() {}, errNone }

// Server is a PostgreSQL server of one test. There is none on this system.
type Server struct{ DSN string }

// NewServer skips the test.
func NewServer(t testing.TB) *Server { Database(t); return nil }

// Start does nothing.
func (*Server) Start() {}

// Stop does nothing.
func (*Server) Stop() {}
