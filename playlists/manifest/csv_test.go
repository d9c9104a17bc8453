package manifest

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ledcast/playlists"
)

func TestParseSigns(t *testing.T) {
	const list = "\ufeffid;owner;class;areas;name;lat;lon;pitch_mm;phone;tags\r\n" +
		"dp-101;bien-hieu-duc-pho;128x64-rgb;quang-ngai/duc-pho quang-ngai/mo-duc;" +
		"\"Ngã ba; Trà Câu\";14,85;108,95;10;0255 3859 123;cho trung-tam\r\n" +
		"dp-102;bien-hieu-duc-pho;64x32-red;quang-ngai/duc-pho;;;;;;\r\n"
	m, err := ParseSigns("signs.csv", []byte(list))
	if err != nil {
		t.Fatal(err)
	}
	s := All[*playlists.Sign](m)[0]
	if len(All[*playlists.Sign](m)) != 2 || s.Name != "Ngã ba; Trà Câu" || s.Position.Lat != 14.85 || len(s.Areas) != 2 ||
		len(s.Tags) != 2 || s.Pitch != 10 || All[*playlists.Sign](m)[1].Position != nil {
		t.Errorf("%+v", All[*playlists.Sign](m))
	}
	for what, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"unknown column": {"id,owner,class,areas,colour\n", 1, `"colour" is not a column`},
		"missing column": {"id,owner,class\n", 1, `"areas" is missing`},
		"column twice":   {"id,id,class,areas,owner\n", 1, "occurs twice"},
		"short line":     {"id,owner,class,areas\nab,cd,64x32-red\n", 2, "3 fields"},
		"bad class":      {"id,owner,class,areas\n\nab,cd,64-red,quang-ngai\n", 3, "is not a class"},
		"no number":      {"id,owner,class,areas,pitch_mm\nab,cd,64x32-red,quang-ngai,ten\n", 2, `"ten" is not a number`},
		"half a place":   {"id,owner,class,areas,lat,lon\nab,cd,64x32-red,quang-ngai,15,\n", 2, "belong together"},
		"twice": {"id,owner,class,areas\nab,cd,64x32-red,quang-ngai\nab,cd,64x32-red,quang-ngai\n", 3,
			"first is at line 2"},
		"a path":      {"id,owner,class,areas\n../x,cd,64x32-red,quang-ngai\n", 2, "is not a name"},
		"not UTF-8":   {"id,owner,class,areas,name\nab,cd,64x32-red,quang-ngai,\xff\n", 0, "not UTF-8"},
		"quote":       {"id,owner,class,areas,name\nab,cd,64x32-red,quang-ngai,a\"b\n", 2, "cannot be read"},
		"nothing":     {"", 1, "has no sign"},
		"only a head": {"id,owner,class,areas\n", 1, "has no sign"},
		"too many":    {"id,owner,class,areas\n" + strings.Repeat("x", MaxBytes), 0, "over the limit"},
		"telephone": {"id,owner,class,areas,phone\nab,cd,64x32-red,quang-ngai,call me\n", 2,
			"is not a telephone number"},
		"not a frequency": {"id,owner,class,areas,pitch_mm\nab,cd,64x32-red,quang-ngai,NaN\n", 2, "outside 0 to 1000"},
	} {
		_, err := ParseSigns("signs.csv", []byte(c.text))
		var e *playlists.Error
		if !errors.As(err, &e) || e.Line != c.line || e.File != "signs.csv" || e.English().Remedy == "" ||
			!strings.Contains(e.Error(), c.says) {
			t.Errorf("%s: %v (want line %d and %q)", what, err, c.line, c.says)
		}
	}
}

func FuzzParseSigns(f *testing.F) {
	f.Add([]byte("id,owner,class,areas\nab,cd,64x32-red,quang-ngai\n"))
	f.Add([]byte("id;owner;class;areas;name\r\nab;cd;64x32-red;quang-ngai;\"a\nb\"\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseSigns("x.csv", data)
		var e *playlists.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("not an *Error: %v", err)
		}
		if err == nil {
			for i := range All[*playlists.Sign](m) {
				if err := All[*playlists.Sign](m)[i].Validate(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestSignMerge checks that a list of signs does not change the fields of a sign for which it has no column.
func TestSignMerge(t *testing.T) {
	old := &playlists.Sign{ID: "va-1", Owner: "viet-ads", Class: playlists.Class{W: 64, H: 32, Colour: playlists.Red},
		Areas: []string{"quang-ngai"}, Name: "Chợ", Pitch: 10, Distance: 40, Tags: []string{"cho"},
		Rules: &playlists.Rules{NoScroll: true}, OutOfService: "Sửa", Position: &playlists.Place{Lat: 15, Lon: 108}}
	m, err := ParseSigns("signs.csv",
		[]byte("id,owner,class,areas,name,phone,tags\nva-1,viet-ads,64x32-red,quang-ngai/son-tinh,,0255 3822 123,\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := *old
	want.Areas, want.Name, want.Phone, want.Tags = []string{"quang-ngai/son-tinh"}, "", "0255 3822 123", nil
	if got := old.Merge(All[*playlists.Sign](m)[0], m.SignColumns); !reflect.DeepEqual(got, &want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
