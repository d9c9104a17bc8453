package manifest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ledcast/playlists"
)

// signColumns are the columns of a list of signs. The first neededColumns are required.
var signColumns = []string{"id", "owner", "class", "areas", "name", "mode", "lat", "lon", "pitch_mm", "distance_m",
	"phone", "tags", "playlist"}

const neededColumns = 4

// ParseSigns parses a company's list of signs as CSV from a spreadsheet. The first line has the column names, in
// any order. The columns id, owner, class and areas are required. The columns name, mode, lat, lon, pitch_mm,
// distance_m, phone, tags and playlist are optional. A field can have several areas or tags, separated by spaces.
// The separator of fields is a comma, a semicolon or a tab, because spreadsheets use a semicolon where the decimal
// separator is a comma. All signs are validated. file is used only in errors. The error is a *playlists.Error with
// file, line, field, value and remedy.
func ParseSigns(file string, data []byte) (*Manifest, error) {
	fail := func(line int, code playlists.Code, field, value string, key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: code, File: file, Line: line, Field: field, Value: value, Key: key, Args: args}
	}
	if len(data) > MaxBytes {
		return nil, fail(0, playlists.TooLarge, "", "", "file-too-large", MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark of spreadsheets
	if !utf8.Valid(data) {
		return nil, fail(0, playlists.Invalid, "", "", "csv-not-utf8")
	}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	for _, sep := range []rune{';', '\t'} {
		if bytes.ContainsRune(head, sep) {
			r.Comma = sep
		}
	}
	r.FieldsPerRecord = -1 // checked below, for an error with the line
	var columns []string
	m := &Manifest{}
	seen := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, fail(bad.Line, playlists.Invalid, "", "", "csv-unreadable", bad.Err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if columns == nil {
			if columns, err = headLine(row); err != nil {
				var e *playlists.Error
				errors.As(err, &e)
				return nil, e.At(file, line)
			}
			continue
		}
		if len(row) != len(columns) {
			return nil, fail(line, playlists.Invalid, "", "", "csv-columns-count", len(row), len(columns))
		}
		if len(m.Things) >= maxDocuments {
			return nil, fail(line, playlists.TooLarge, "", "", "too-many-signs-in-file", maxDocuments)
		}
		s, err := signOf(columns, row)
		if err == nil {
			err = s.Validate()
		}
		var e *playlists.Error
		if errors.As(err, &e) {
			return nil, e.At(file, line)
		}
		if before := seen[s.ID]; before > 0 {
			return nil, fail(line, playlists.Invalid, "id", s.ID, "sign-twice-in-file", before)
		}
		seen[s.ID] = line
		m.Things = append(m.Things, s)
	}
	m.SignColumns = columns
	if len(m.Things) == 0 {
		return nil, fail(1, playlists.Invalid, "", "", "file-without-signs", strings.Join(signColumns[:neededColumns], ", "))
	}
	return m, nil
}

func headLine(row []string) ([]string, error) {
	columns := make([]string, len(row))
	for i, c := range row {
		columns[i] = strings.ToLower(strings.TrimSpace(c))
		if !slices.Contains(signColumns, columns[i]) {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "head line", Value: c,
				Key: "csv-column-unknown", Args: []any{strings.Join(signColumns, ", ")}}
		}
		if slices.Index(columns, columns[i]) != i {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "head line", Value: c, Key: "csv-column-twice"}
		}
	}
	for _, c := range signColumns[:neededColumns] {
		if !slices.Contains(columns, c) {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "head line", Value: c,
				Key: "csv-column-missing", Args: []any{strings.Join(signColumns[:neededColumns], ",")}}
		}
	}
	return columns, nil
}

func signOf(columns, row []string) (*playlists.Sign, error) {
	s := &playlists.Sign{}
	number := func(field, text string, to *float64) error {
		n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil {
			return &playlists.Error{Code: playlists.Invalid, Field: field, Value: text, Key: "number-malformed"}
		}
		*to = n
		return nil
	}
	place := &playlists.Place{}
	placed := 0
	for i, c := range columns {
		text := strings.TrimSpace(row[i])
		if text == "" {
			continue
		}
		var err error
		switch c {
		case "id":
			s.ID = text
		case "owner":
			s.Owner = text
		case "class":
			s.Class, err = playlists.ParseClass(text)
		case "areas":
			s.Areas = strings.Fields(text)
		case "name":
			s.Name = text
		case "mode":
			s.Mode = playlists.Mode(text)
		case "lat":
			placed++
			err = number(c, text, &place.Lat)
		case "lon":
			placed++
			err = number(c, text, &place.Lon)
		case "pitch_mm":
			err = number(c, text, &s.Pitch)
		case "distance_m":
			err = number(c, text, &s.Distance)
		case "phone":
			s.Phone = text
		case "tags":
			s.Tags = strings.Fields(text)
		case "playlist":
			s.Playlist = text
		}
		if err != nil {
			return nil, err
		}
	}
	switch placed {
	case 1:
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "lat, lon", Key: "latitude-or-longitude-missing"}
	case 2:
		s.Position = place
	}
	return s, nil
}
