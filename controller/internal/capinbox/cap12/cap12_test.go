package cap12

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"ledcast/playlists"
)

const storm = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>VN-KTTV-2021-0417</identifier>
  <sender>kttv@quangngai.gov.vn</sender>
  <sent>2021-01-30T17:55:00+07:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>vi-VN</language>
    <category>Met</category>
    <event>Bão</event>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <effective>2021-01-30T18:00:00+07:00</effective>
    <expires>2021-01-31T06:00:00+07:00</expires>
    <headline>Bão số 1 vào Quảng Ngãi</headline>
    <instruction>Không ra khơi.</instruction>
    <area>
      <areaDesc>Huyện Bình Sơn</areaDesc>
      <polygon>15.20,108.60 15.50,108.60 15.50,108.95 15.20,108.95 15.20,108.60</polygon>
      <circle>15.38,109.12 12.5</circle>
      <geocode><valueName>GSO</valueName><value>524</value></geocode>
    </area>
  </info>
</alert>`

// swap is storm with parts replaced.
func swap(pairs ...string) string {
	s := storm
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			panic("storm has no " + pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

func TestParse(t *testing.T) {
	a, err := Parse([]byte(storm))
	if err != nil {
		t.Fatal(err)
	}
	if a.Identifier != "VN-KTTV-2021-0417" || a.Status != "Actual" ||
		!a.Sent.Equal(time.Date(2021, 1, 30, 10, 55, 0, 0, time.UTC)) {
		t.Errorf("%+v", a)
	}
	in := a.Infos[0]
	if in.Language != "vi-VN" || in.Headline != "Bão số 1 vào Quảng Ngãi" ||
		in.Expires.Sub(in.Effective) != 12*time.Hour || in.Areas[0].Geocodes[0] != "GSO=524" {
		t.Errorf("%+v", in)
	}
	for _, c := range []struct {
		what     string
		lat, lon float64
		in       bool
	}{
		{"in the polygon", 15.30, 108.80, true}, {"on its corner", 15.20, 108.60, true}, {"on its side", 15.35, 108.95, true},
		{"west of it", 15.30, 108.50, false}, {"Lý Sơn, in the circle", 15.38, 109.12, true},
		{"12 km north of its centre", 15.38 + 12/111.195, 109.12, true},
		{"13 km north of its centre", 15.38 + 13/111.195, 109.12, false},
		{"Quảng Ngãi", 15.12, 108.80, false},
	} {
		if got := in.Areas[0].Contains(playlists.Place{Lat: c.lat, Lon: c.lon}); got != c.in {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func TestDistance(t *testing.T) {
	// Quảng Ngãi to Hà Nội, by great circle about 720 km.
	if km := distanceKM(playlists.Place{Lat: 15.12, Lon: 108.80},
		playlists.Place{Lat: 21.03, Lon: 105.85}); math.Abs(km-727) > 5 {
		t.Errorf("%.1f km", km)
	}
}

func latin1(s string) string {
	b, err := charmap.ISO8859_1.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestParseAccepts(t *testing.T) {
	for what, c := range map[string]struct {
		doc  string
		says func(*Alert) bool
	}{
		"ISO-8859-1": {latin1(strings.NewReplacer("UTF-8", "ISO-8859-1", "Bão số 1 vào Quảng Ngãi", "Tempête à Son", "Bão",
			"Vent", "Không ra khơi.", "Été", "Huyện Bình Sơn", "Là-bas").Replace(storm)),
			func(a *Alert) bool {
				return a.Infos[0].Headline == "Tempête à Son" && a.Infos[0].Instruction == "Été"
			}},
		"US-ASCII": {strings.NewReplacer("UTF-8", "US-ASCII", "Bão số 1 vào Quảng Ngãi", "Storm", "Bão", "Storm",
			"Không ra khơi.", "Stay.", "Huyện Bình Sơn", "Binh Son").Replace(storm),
			func(a *Alert) bool { return a.Infos[0].Headline == "Storm" }},
		"a prefix": {strings.NewReplacer("<alert xmlns=", "<c:alert xmlns:c=", "</", "</c:", "<?", "\x00", "<c:alert",
			"\x01").Replace(storm), nil},
		"a signature": {swap("</alert>",
			`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><Reference/></SignedInfo></Signature></alert>`),
			func(a *Alert) bool { return len(a.Infos) == 1 }},
		"a comment": {swap("<info>", "<!-- tự động --><info>"), func(a *Alert) bool { return len(a.Infos) == 1 }},
		"no language": {swap("<language>vi-VN</language>", ""),
			func(a *Alert) bool { return a.Infos[0].Language == "en-US" }},
		"two infos": {swap("</alert>", storm[strings.Index(storm, "<info>"):]),
			func(a *Alert) bool { return len(a.Infos) == 2 }},
		"no infos": {storm[:strings.Index(storm, "<info>")] + "</alert>",
			func(a *Alert) bool { return len(a.Infos) == 0 }},
		"two polygons": {swap("</polygon>", "</polygon><polygon>14,108 14.1,108 14.1,108.1 14,108</polygon>"),
			func(a *Alert) bool {
				return len(a.Infos[0].Areas[0].Polygons) == 2 &&
					a.Infos[0].Areas[0].Contains(playlists.Place{Lat: 14.05, Lon: 108.02})
			}},
		"a point twice in a row": {swap("15.50,108.60 15.50,108.95", "15.50,108.60 15.50,108.60 15.50,108.60 15.50,108.95"),
			func(a *Alert) bool { return len(a.Infos[0].Areas[0].Polygons[0]) == 5 }},
		"its last point twice": {swap("15.20,108.60<", "15.20,108.60 15.20,108.60<"),
			func(a *Alert) bool { return len(a.Infos[0].Areas[0].Polygons[0]) == 5 }},
		"references": {
			swap("<scope>", "<scope>", "</scope>",
				"</scope><references>a@b,1,2021-01-30T17:55:00+07:00 a@b,2,2021-01-30T17:56:00-00:00</references>"),
			func(a *Alert) bool { return len(a.References) == 2 && a.References[1].Identifier == "2" }},
		"a zero radius": {swap(" 12.5<", " 0<"),
			func(a *Alert) bool { return a.Infos[0].Areas[0].Circles[0].KM == 0 }},
		"an entity": {swap("Không ra khơi.", "A &amp; B &#272;"),
			func(a *Alert) bool { return a.Infos[0].Instruction == "A & B Đ" }},
		"CDATA": {swap("Không ra khơi.", "<![CDATA[A & B]]>"),
			func(a *Alert) bool { return a.Infos[0].Instruction == "A & B" }},
		"a BOM": {"\ufeff" + storm, nil},
	} {
		if what == "a prefix" {
			c.doc = strings.NewReplacer("\x00", "<?", "\x01", "<c:alert").Replace(c.doc)
			for _, name := range []string{"identifier", "sender", "sent", "status", "msgType", "scope", "info", "language",
				"category", "event", "urgency", "severity", "certainty", "effective", "expires", "headline", "instruction", "area",
				"areaDesc", "polygon", "circle", "geocode", "valueName", "value"} {
				c.doc = strings.ReplaceAll(c.doc, "<"+name+">", "<c:"+name+">")
			}
		}
		a, err := Parse([]byte(c.doc))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if c.says != nil && !c.says(a) {
			t.Errorf("%s: %+v", what, a)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	deep := swap("</alert>", strings.Repeat(`<x xmlns="urn:x">`, 40)+strings.Repeat("</x>", 40)+"</alert>")
	for what, c := range map[string]struct{ doc, says string }{
		"nothing":           {"", "is empty"},
		"no XML":            {"Bão!", "text outside"},
		"JSON":              {`{"alert":1}`, "text outside"},
		"half a document":   {storm[:400], "cannot be read"},
		"another root":      {`<rss xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>`, "is not an alert"},
		"CAP 1.1":           {swap("cap:1.2", "cap:1.1"), "is not an alert"},
		"no namespace":      {swap(` xmlns="urn:oasis:names:tc:emergency:cap:1.2"`, ""), "is not an alert"},
		"a DOCTYPE":         {swap("<alert ", `<!DOCTYPE alert [<!ENTITY x "y">]><alert `), "DOCTYPE"},
		"a DOCTYPE inside":  {swap("<info>", `<!DOCTYPE x><info>`), "directive"},
		"an unknown entity": {swap("Không ra khơi.", "&x;"), "cannot be read"},
		"two identifiers":   {swap("<sender>", "<identifier>other</identifier><sender>"), "occurs twice"},
		"two statuses":      {swap("<msgType>", "<status>Test</status><msgType>"), "occurs twice"},
		"two expiries": {swap("<headline>", "<expires>2021-02-01T06:00:00+07:00</expires><headline>"),
			"occurs twice"},
		"a second root":        {storm + `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>`, "second document"},
		"text behind":          {storm + "x", "text outside"},
		"text between":         {swap("<info>", "x<info>"), "text between"},
		"a stranger":           {swap("<info>", "<priority>9</priority><info>"), "does not have there"},
		"an element in a text": {swap("<sender>", "<sender><b/>"), "element in a text"},
		"6 MB of nesting":      {strings.Repeat("<a>", 2_000_000), "over the limit of 262144"},
		"nesting":              {deep, "nests deeper"},
		"nesting of its own":   {swap("<info>", "<info><info>"), "does not have there"},
		"an encoding":          {swap("UTF-8", "EBCDIC"), "encoding"},
		"no identifier":        {swap("<identifier>VN-KTTV-2021-0417</identifier>", ""), "identifier"},
		"a space in it":        {swap("VN-KTTV-2021-0417", "VN KTTV"), "has a space"},
		"a comma in it":        {swap("VN-KTTV-2021-0417", "VN,KTTV"), "a comma"},
		"no sender":            {swap("<sender>kttv@quangngai.gov.vn</sender>", ""), "sender"},
		"no time":              {swap("<sent>2021-01-30T17:55:00+07:00</sent>", ""), "sent"},
		"Z for an offset":      {swap("2021-01-30T17:55:00+07:00", "2021-01-30T10:55:00Z"), "Z is not allowed"},
		"no offset":            {swap("2021-01-30T17:55:00+07:00", "2021-01-30T17:55:00"), "is not a time"},
		"a fraction of a date": {swap("2021-01-30T17:55:00+07:00", "2021-02-30T17:55:00+07:00"), "is not a time"},
		"the year 0":           {swap("2021-01-30T17:55:00+07:00", "0001-01-30T17:55:00+07:00"), "our time"},
		"an unknown status":    {swap("Actual", "actual"), "is not a value"},
		"no status":            {swap("<status>Actual</status>", ""), "status"},
		"an unknown scope":     {swap("Public", "Everybody"), "is not a value"},
		"an unknown msgType":   {swap("<msgType>Alert", "<msgType>Alarm"), "is not a value"},
		"no event":             {swap("<event>Bão</event>", ""), "event"},
		"an unknown urgency":   {swap("Expected", "Soon"), "is not a value"},
		"no areaDesc":          {swap("<areaDesc>Huyện Bình Sơn</areaDesc>", ""), "areaDesc"},
		"an open polygon":      {swap("15.20,108.95 15.20,108.60<", "15.20,108.95<"), "not closed"},
		"one point, again and again": {swap("15.20,108.60 15.50,108.60 15.50,108.95 15.20,108.95 15.20,108.60",
			"15,108 15,108 15,108 15,108 15,108"), "at least 4"},
		"three points": {swap("15.20,108.60 15.50,108.60 15.50,108.95 15.20,108.95 15.20,108.60",
			"15,108 16,108 15,108"), "at least 4"},
		"a polygon that crosses itself": {swap("15.20,108.60 15.50,108.60 15.50,108.95 15.20,108.95 15.20,108.60",
			"15,108 16,109 16,108 15,109 15,108"), "crosses itself"},
		"metres for degrees":  {swap("15.20,108.60 15.50", "1520000,10860000 15.50"), "latitude,longitude"},
		"a word in a polygon": {swap("15.50,108.60", "here,there"), "latitude,longitude"},
		"across the date line": {swap("15.20,108.60 15.50,108.60 15.50,108.95 15.20,108.95 15.20,108.60",
			"15,179 16,179 16,-179 15,-179 15,179"), "date line"},
		"a circle without size": {swap("15.38,109.12 12.5", "15.38,109.12"), "place and a radius"},
		"a negative radius":     {swap(" 12.5<", " -1<"), "kilometres"},
		"a radius of metres":    {swap(" 12.5<", " 12.5m<"), "kilometres"},
		"an endless radius":     {swap(" 12.5<", " Inf<"), "kilometres"},
		"half a geocode":        {swap("<value>524</value>", ""), "geocode"},
		"a broken reference": {swap("</scope>", "</scope><references>a@b,1</references>"),
			"sender,identifier,sent"},
		"a reference with Z": {swap("</scope>", "</scope><references>a@b,1,2021-01-30T10:55:00Z</references>"),
			"Z is not allowed"},
	} {
		_, err := Parse([]byte(c.doc))
		var e *playlists.Error
		if !errors.As(err, &e) || e.English().Remedy == "" || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%s: %v, want %q", what, err, c.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(storm))
	f.Add([]byte(swap("<alert ", "<!DOCTYPE alert><alert ")))
	f.Add([]byte(swap("UTF-8", "ISO-8859-1")))
	f.Add([]byte("\xff\xfe<\x00a\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Parse(data)
		var e *playlists.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("not an *Error: %v", err)
			}
			return
		}
		if a.Identifier == "" || a.Sender == "" || a.Sent.IsZero() || bytes.Contains(data, []byte("<!DOCTYPE")) &&
			!bytes.Contains(data, []byte("<!--")) && !bytes.Contains(data, []byte("CDATA")) {
			t.Fatalf("%+v was taken of %q", a, data)
		}
		for _, in := range a.Infos {
			for i := range in.Areas {
				in.Areas[i].Contains(playlists.Place{Lat: 15, Lon: 108})
			}
		}
	})
}
