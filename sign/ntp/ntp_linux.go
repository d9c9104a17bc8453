package ntp

import "golang.org/x/sys/unix"

// Holds reports whether the kernel says that NTP holds its clock.
func Holds() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}
