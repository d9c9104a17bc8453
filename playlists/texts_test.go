package playlists

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// gapsOf returns the verbs of a text by argument, e.g. {1: "d", 2: ".1f"}.
func gapsOf(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range gap.FindAllStringSubmatch(text, -1) {
		if m[0] == "%%" {
			continue
		}
		if old, ok := out[m[1]]; ok && old != m[2] {
			t.Errorf("%q takes argument %s as %s and as %s", text, m[1], old, m[2])
		}
		out[m[1]] = m[2]
	}
	if rest := gap.ReplaceAllString(text, ""); strings.Contains(rest, "%") {
		t.Errorf("%q has a verb that is not %%[n]d, s, q, v or f", text)
	}
	return out
}

// takes returns the verbs of a key's title and remedy by argument.
func takes(t *testing.T, r Reason) map[string]string {
	t.Helper()
	out := gapsOf(t, r.Title)
	for n, v := range gapsOf(t, r.Remedy) {
		if old, ok := out[n]; ok && old != v {
			t.Errorf("%q; %q take argument %s as %s and as %s", r.Title, r.Remedy, n, old, v)
		}
		out[n] = v
	}
	return out
}

func TestCataloguesAgree(t *testing.T) {
	en, vi := english().texts, vietnamese().texts
	for _, key := range slices.Sorted(maps.Keys(en)) {
		e, v := en[key], vi[key]
		if e.Title == "" || v.Title == "" || (e.Remedy == "") != (v.Remedy == "") {
			t.Errorf("%s: a text is missing in a language:\n%+v\n%+v", key, e, v)
		}
		a, b := takes(t, e), takes(t, v)
		if !maps.Equal(a, b) {
			t.Errorf("%s: English takes %v, Vietnamese %v", key, a, b)
		}
		for n := range len(a) {
			if a[fmt.Sprint(n+1)] == "" {
				t.Errorf("%s: takes %d arguments, and not number %d", key, len(a), n+1)
			}
		}
		for _, text := range []string{e.Title, e.Remedy, v.Title, v.Remedy} {
			if !norm.NFC.IsNormalString(text) || strings.TrimSpace(text) != text {
				t.Errorf("%s: %q is not composed, or has spaces at its ends", key, text)
			}
		}
		if strings.Trim(string(key), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s: a key is words joined by hyphens", key)
		}
	}
	for key := range vi {
		if _, ok := en[key]; !ok {
			t.Errorf("%s: has no English", key)
		}
	}
}

// samples returns arguments of the kinds that a verb takes.
func samples(verb string) []any {
	switch verb[len(verb)-1] {
	case 'd':
		return []any{0, int64(1048576)}
	case 'f':
		return []any{4.5}
	case 'q':
		return []any{"ô \"Đ\"", ""}
	}
	return []any{"64x32-red", Word("playlist"), Text{VI: "chữ", EN: "letters"}, io.EOF,
		Phrase{Key: "on-sign", Args: []any{"qn-001"}}, &Error{Key: "named-twice"}}
}

// Every key can be formatted in both languages with every kind of argument.
func TestEveryTextIsFormatted(t *testing.T) {
	for key, r := range english().texts {
		verbs := takes(t, r)
		for round := range 6 {
			var args []any
			for n := range len(verbs) {
				s := samples(verbs[fmt.Sprint(n+1)])
				args = append(args, s[round%len(s)])
			}
			e := (&Error{Key: key, Args: args, Field: "x.y"}).In("on-sign-at", "qn-001", "18:00")
			for _, line := range []string{e.Error(), e.VI()} {
				if strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(line, "%2B", ""), " %", ""), "%\n") {
					t.Errorf("%s with %v: %s", key, args, line)
				}
			}
		}
	}
}

func TestTwoLanguages(t *testing.T) {
	for _, x := range []struct {
		e        Error
		english  string
		reason   Reason
		sentence string
	}{
		{e: Error{Field: "campaigns/x.share_percent", Value: "120", Key: "share-out-of-range"},
			english:  `campaigns/x.share_percent "120" is outside 1 to 100 percent; give the share of the face's time, e.g. 20`,
			reason:   Reason{"nằm ngoài khoảng 1 đến 100 %", "đặt tỷ lệ thời gian của màn hình, ví dụ 20", "Tỷ lệ"},
			sentence: `Tỷ lệ "120" nằm ngoài khoảng 1 đến 100 %; đặt tỷ lệ thời gian của màn hình, ví dụ 20`},
		{e: Error{Field: "limit", Key: "number-out-of-range", Args: []any{1, 50000}},
			english: "limit is not a number from 1 to 50000; correct it, or leave it out",
			reason:  Reason{"không phải là số từ 1 đến 50000", "sửa lại, hoặc bỏ đi", "Số mục"}},
		{e: Error{Field: "schedules/x.signs[3]", Key: "named-twice"},
			english: "schedules/x.signs[3] is named twice; name it once",
			reason:  Reason{"được nêu hai lần", "chỉ nêu một lần", "Màn hình"}},
		{e: *(&Error{Key: "emoji"}).In("on-class", Class{128, 64, RGB}).In("on-sign", "qn-001"),
			english: "is an emoji, which signs do not show (on 128x64-rgb) (on sign qn-001); leave it out or say it in words",
			reason: Reason{"là biểu tượng cảm xúc, màn hình không hiện được (trên loại màn hình 128x64-rgb) " +
				"(trên màn hình qn-001)", "bỏ đi hoặc diễn đạt bằng lời", ""}},
		{e: Error{Field: "theme", Key: "contrast-too-low", Args: []any{Word("the headline"), Class{64, 32, "red"}, 2.1, 4.5}},
			english: "theme gives the headline on 64x32-red a contrast of 2.1, under 4.5; " +
				"use a darker ground or lighter letters",
			reason: Reason{"khiến tiêu đề trên loại màn hình 64x32-red chỉ có độ tương phản 2,1, dưới mức 4,5",
				"dùng nền tối hơn hoặc chữ sáng hơn", "Màu sắc"}},
		{e: Error{Key: "role-not-allowed", Args: []any{Word("viewer"), Word("public")}},
			english: "is not for the role viewer; ask an administrator of public",
			reason:  Reason{"không thuộc quyền của vai trò chỉ xem", "đề nghị quản trị của Sở", ""}},
		{e: Error{Key: "still-used", Args: []any{Word("playlist tet")}},
			english: "is still used by playlist tet; change that first",
			reason:  Reason{"đang được dùng bởi danh sách phát tet", "sửa mục đó trước", ""}},
		{e: Error{Key: "unreadable", Args: []any{Text{VI: "Quá nhỏ.", EN: "Too small."},
			Text{VI: "To hơn.", EN: "Larger."}, Phrase{Key: "override-in-query"}}},
			english: "cannot be read on this sign: Too small.; Larger. Or let it through with ?override=distance&reason=…",
			reason: Reason{"không đọc được trên màn hình này: Quá nhỏ.",
				"To hơn. Hoặc vẫn cho qua bằng ?override=distance&reason=…", ""}},
		{e: Error{Key: "query-time-malformed"},
			english: "is not a time; write it as 2021-01-30T02:30:00+07:00 (the + as %2B)",
			reason:  Reason{"không phải là thời điểm", "viết như 2021-01-30T02:30:00+07:00 (dấu + viết là %2B)", ""}},
		{e: Error{Key: "csv-unreadable", Args: []any{io.EOF}},
			english: "cannot be read: EOF; check the quotation marks",
			reason:  Reason{"không đọc được: không có nội dung", "kiểm tra lại các dấu ngoặc kép", ""}},
		{e: Error{Key: "csv-unreadable", Args: []any{fmt.Errorf("within: %w", &Error{Key: "named-twice", Field: "x"})}},
			english: "cannot be read: is named twice; check the quotation marks",
			reason:  Reason{"không đọc được: được nêu hai lần", "kiểm tra lại các dấu ngoặc kép", ""}},
		{e: Error{Key: "csv-unreadable", Args: []any{errors.New("strange")}},
			english: "cannot be read: strange; check the quotation marks",
			reason:  Reason{"không đọc được: strange", "kiểm tra lại các dấu ngoặc kép", ""}},
	} {
		if got := x.e.Error(); got != x.english {
			t.Errorf("got  %s\nwant %s", got, x.english)
		}
		if got := x.e.Vietnamese(); got != x.reason {
			t.Errorf("%s:\n got %+v\nwant %+v", x.e.Key, got, x.reason)
		}
		if got := x.e.VI(); x.sentence != "" && got != x.sentence {
			t.Errorf("got  %s\nwant %s", got, x.sentence)
		}
	}
}

// In does not change the error that it copies.
func TestPlacesAreCopied(t *testing.T) {
	e := (&Error{Key: "emoji"}).In("on-sign", "a")
	b, c := e.In("on-sign", "b"), e.In("on-sign", "c")
	if len(e.Places) != 1 || b.Places[1].Args[0] != "b" || c.Places[1].Args[0] != "c" {
		t.Errorf("%v %v %v", e.Places, b.Places, c.Places)
	}
}

// A list of phrases is in the language of the text around it.
func TestPhrasesInBothLanguages(t *testing.T) {
	e := &Error{Key: "full-loop-too-long", Args: []any{int64(900), []Phrase{
		{Key: "campaign-with-share", Args: []any{"a", int64(60), int64(500)}},
		{Key: "campaign-with-share", Args: []any{"b", int64(40), int64(450)}}}}}
	en := "a with 60 % and 500 s of messages, b with 40 % and 450 s of messages"
	if got := e.English().Title; !strings.HasSuffix(got, en) {
		t.Errorf("English: %s", got)
	}
	if got := e.Vietnamese().Title; !strings.HasSuffix(got, "a với 60 % và 500 giây tin, b với 40 % và 450 giây tin") {
		t.Errorf("Vietnamese: %s", got)
	}
}
