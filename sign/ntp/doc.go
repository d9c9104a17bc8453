// Package ntp asks the system whether NTP holds its clock. Signs and the controller ask alike.
package ntp
