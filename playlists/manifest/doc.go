// Package manifest parses the files that users write: objects as YAML documents ([Parse]), a company's list of
// signs as CSV ([ParseSigns]), and alert templates as YAML ([ParseTemplates]).
//
// Parsing is strict. Every error has the file, line, field, value and remedy.
package manifest
