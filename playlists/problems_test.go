package playlists

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// foreign are texts that another program's library made, where there is
// nothing to translate: what each place shows instead is English.
var foreign = map[string]string{
	"playlists/manifest/manifest.go":         "the YAML library's",
	"controller/internal/alert/cappolicy.go": "the address parser's",
}

// Every text that the source gives an error has its Vietnamese, with the same
// gaps, and the catalogue has no other.
func TestProblemsInVietnamese(t *testing.T) {
	found, lost := problemsInSource(t)
	if len(found) < 500 {
		t.Fatalf("only %d texts found: the source is not read", len(found))
	}
	for _, x := range lost {
		if name := filepath.ToSlash(strings.TrimPrefix(x.where.Filename, "../")); foreign[name] == "" {
			t.Errorf("%s: %q cannot be followed; write it as a literal or a format", x.where, x.format)
		}
	}
	var file struct{ Texts, Words, Fields map[string]string }
	if err := json.Unmarshal(problemsVI, &file); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, x := range found {
		if used[x.format] = true; file.Texts[x.format] == "" {
			t.Errorf("%s: problems.vi.json has no %q", x.where, x.format)
		}
	}
	for en := range file.Texts {
		if !used[en] {
			t.Errorf("problems.vi.json has %q, which no source says", en)
		}
	}
	for _, texts := range []map[string]string{file.Texts, file.Words} {
		for en, vi := range texts {
			if a, b := gapsOf(en), gapsOf(vi); !slices.Equal(a, b) {
				t.Errorf("%q has the gaps %q, and %q has %q", en, a, vi, b)
			}
			if !norm.NFC.IsNormalString(vi) {
				t.Errorf("%q is not composed", vi)
			}
		}
	}
	sources := literals(t)
	for en := range file.Words {
		text := strings.TrimSpace(verb.Split(en, -1)[0])
		if !slices.ContainsFunc(libraries, func(e string) bool { return strings.Contains(e, text) }) && !sources[text] {
			t.Errorf("problems.vi.json has the word %q, which no source says", en)
		}
	}
	for name := range file.Fields {
		if !sources[name] && !sources["json:"+name] {
			t.Errorf("problems.vi.json names the field %q, which there is not", name)
		}
	}
}

// libraries are what encoding/json says of documents that cannot be read.
var libraries = func() []string {
	var v struct {
		A struct{ N int }
	}
	var out []string
	for _, text := range []string{`{"B":1}`, `{"A":{"N":"x"}}`, `7`, `{"A":}`, `{"A":`, ``} {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			out = append(out, err.Error())
		}
	}
	return append(out, json.Unmarshal([]byte(`{`), &v).Error())
}()

// gapsOf are a format's gaps in the order of the English ones; %t is a %s.
func gapsOf(format string) []string {
	var out []string
	next := 0
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		i := next
		if m[1] != "" {
			i = int(m[1][0] - '1')
		}
		next = i + 1
		for len(out) <= i {
			out = append(out, "")
		}
		out[i] = strings.Replace(m[2], "t", "s", 1)
	}
	return out
}

// literals are the string literals of the module's source, trimmed and up to
// their first gap, and the names of JSON fields behind "json:".
func literals(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	tag := regexp.MustCompile(`json:"(\w+)`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if x, ok := n.(*ast.BasicLit); ok && x.Kind == token.STRING {
				text, err := strconv.Unquote(x.Value)
				if err == nil {
					out[strings.TrimSpace(verb.Split(text, -1)[0])] = true
					out[strings.TrimPrefix(text, ".")] = true // a field behind another's name
				}
				for _, m := range tag.FindAllStringSubmatch(text, -1) {
					out["json:"+m[1]] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Texts as they come, with their gaps filled, nested or with an ending.
func TestVietnamese(t *testing.T) {
	for _, x := range []struct {
		e    Error
		want Reason
	}{
		{e: Error{Field: "campaigns/x.share_percent", Problem: "is outside 1 to 100 percent", Remedy: "give the share of the face's time, e.g. 20"},
			want: Reason{"nằm ngoài khoảng 1 đến 100 %", "đặt tỷ lệ thời gian của màn hình, ví dụ 20", "Tỷ lệ"}},
		{e: Error{Field: "limit", Problem: fmt.Sprintf("is not a number from %d to %d", 1, 500), Remedy: "correct it, or leave it out"},
			want: Reason{"không phải là số từ 1 đến 500", "sửa lại, hoặc bỏ đi", "Số mục"}},
		{e: Error{Field: "schedules/x.signs[3]", Problem: "is named twice", Remedy: "name it once"},
			want: Reason{"được nêu hai lần", "chỉ nêu một lần", "Màn hình"}},
		{e: Error{Problem: "takes 40 s on 64x32-red, over the limit of 30 s of a whole loop (on sign qn-001 at 2021-01-30 18:00)", Remedy: "shorten it, or split it into several messages"},
			want: Reason{"cần 40 giây trên loại màn hình 64x32-red, quá giới hạn 30 giây của cả vòng phát (trên màn hình qn-001 lúc 2021-01-30 18:00)", "rút ngắn lại, hoặc chia thành nhiều tin", ""}},
		{e: Error{Problem: "is an emoji, which signs do not show (on 128x64-rgb) (on sign qn-001)"},
			want: Reason{"là biểu tượng cảm xúc, màn hình không hiện được (trên loại màn hình 128x64-rgb) (trên màn hình qn-001)", "", ""}},
		{e: Error{Problem: "has nothing to show: no item is valid (schedule:tet at 2021-02-11 06:00)"},
			want: Reason{"không có gì để chiếu: không mục nào còn hiệu lực (schedule:tet lúc 2021-02-11 06:00)", "", ""}},
		{e: Error{Field: "theme", Problem: "gives the headline on 64x32-red a contrast of 2.1, under 4.5"},
			want: Reason{"khiến tiêu đề trên loại màn hình 64x32-red chỉ có độ tương phản 2,1, dưới mức 4,5", "", "Màu sắc"}},
		{e: Error{Problem: "is not for the role viewer", Remedy: "ask an administrator of public"},
			want: Reason{"không thuộc quyền của vai trò chỉ xem", "đề nghị quản trị của Sở", ""}},
		{e: Error{Problem: "is live and this one is drill", Remedy: "use the same mode"},
			want: Reason{"là tin thật, còn tin này là tin diễn tập", "dùng cùng loại tin", ""}},
		{e: Error{Problem: "is still used by playlist tet"}, want: Reason{"đang được dùng bởi danh sách phát tet", "", ""}},
		{e: Error{Problem: "has no room for \"BLUEZONE\" in the smallest letters that can be told apart"},
			want: Reason{"không đủ chỗ cho \"BLUEZONE\" dù dùng cỡ chữ nhỏ nhất còn phân biệt được", "", ""}},
		{e: Error{Problem: "cannot be read on this sign: Too small.", Remedy: "Larger. Or let it through with ?override=distance&reason=…", Parts: []Text{{VI: "Quá nhỏ.", EN: "Too small."}, {VI: "To hơn.", EN: "Larger."}}},
			want: Reason{"không đọc được trên màn hình này: Quá nhỏ.", "To hơn. Hoặc vẫn cho qua bằng ?override=distance&reason=…", ""}},
		{e: Error{Problem: "cannot be read: unknown field \"colour\""}, want: Reason{"không đọc được: không có trường \"colour\"", "", ""}},
		{e: Error{Problem: "cannot be read: cannot unmarshal string into Go struct field Campaign.share_percent of type int64"},
			want: Reason{"không đọc được: trường Campaign.share_percent không nhận giá trị kiểu string, mà cần kiểu int64", "", ""}},
		{e: Error{Problem: "is not a time", Remedy: "write it as 2021-01-30T02:30:00+07:00 (the + as %2B)"},
			want: Reason{"không phải là thời điểm", "viết như 2021-01-30T02:30:00+07:00 (dấu + viết là %2B)", ""}},
		{e: Error{Problem: "what nobody wrote", Remedy: "leave it out"}, want: Reason{"what nobody wrote", "bỏ mục này đi", ""}},
	} {
		if got := x.e.Vietnamese(); got != x.want {
			t.Errorf("%s; %s:\n got %+v\nwant %+v", x.e.Problem, x.e.Remedy, got, x.want)
		}
	}
}

// An ending without gaps is one, too.
func TestEndingWithoutGaps(t *testing.T) {
	e := newSaying(" (by itself)", " (tự động)")
	if e.is == nil {
		t.Fatal("it has no pattern, and looking for it would end the program")
	}
	if m := e.is.FindStringSubmatch("is over (by itself)"); len(m) != 2 || m[1] != "is over" {
		t.Errorf("found %q", m)
	}
}
