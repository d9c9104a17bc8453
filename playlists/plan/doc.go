// Package plan turns what owners and the department have set into the program
// of each sign, and says why.
//
// A [Planner] holds one state of the [Rulebook] and of the content, and plans
// many signs with them. What several signs share is made once. [Check] answers
// whether a change leaves every plan possible before it is stored. [Reasons]
// says which rule shows at which time and which rules lost.
//
// Everything here is a pure function: content comes through an interface, and
// a time is always an argument. docs/planning.md has the rules.
package plan
