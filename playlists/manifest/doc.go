// Package manifest reads the files that people write: YAML documents of things
// ([Parse]), a company's list of signs as CSV ([ParseSigns]), and alert
// templates ([ParseTemplates]).
//
// Reading is strict, and every error names file, line, field, value and remedy.
package manifest
