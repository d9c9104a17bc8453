// Package plan makes the program of each sign from the schedules, campaigns and
// agreements of owners and the department, and records the reasons.
//
// A [Planner] plans many signs with one state of the [Rulebook] and the content.
// It makes what several signs share only once. [Check] checks before a change is
// stored whether every plan can still be made. [Reasons] records which rule shows
// at which time and which rules lost.
//
// All functions are pure: content comes through an interface and times are
// arguments. docs/planning.md describes the rules.
package plan
