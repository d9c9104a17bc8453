package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ledcast/playlists"
)

// Refusals as the API gives them: English for programs, Vietnamese beside it
// for people, and nothing English left in that.
func TestProblemsOverHTTP(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	own := "/api/v1/owners/viet-ads/"
	for _, x := range []struct {
		as, method, path, body string
		status                 int
		title                  string
		vi                     playlists.Reason
	}{
		{"viet-ads", "PUT", own + "messages/xx", `{"variants":[]}`, 422, "has no text, image, address or QR code",
			playlists.Reason{Title: "không có lời, hình, địa chỉ hay mã QR",
				Remedy: "viết tiêu đề hoặc nội dung bằng ít nhất một ngôn ngữ"}},
		{"viet-ads", "PUT", own + "messages/xx", `{"variants":[{"lang":"vi","body":"Vui 😀"}]}`, 422,
			"is an emoji, which signs do not show (on 128x64-rgb)",
			playlists.Reason{Title: "là biểu tượng cảm xúc, màn hình không hiện được (trên loại màn hình 128x64-rgb)",
				Remedy: "bỏ đi hoặc diễn đạt bằng lời", Field: "Nội dung"}},
		{"viet-ads", "PUT", own + "messages/xx", `{"variants":[{"lang":"vi","body":"A"}],"colour":1}`, 422,
			"is not a field of this object",
			playlists.Reason{Title: "không phải là trường của mục này",
				Remedy: "xem một mục cùng loại để biết các trường của nó"}},
		{"viet-ads", "PUT", own + "playlists/xx", `{"items":[]}`, 422, "is empty",
			playlists.Reason{Title: "đang để trống", Remedy: "chọn ít nhất một tin", Field: "Các mục"}},
		{"viet-ads", "PUT", own + "playlists/xx", `{"items":[{"message":"public/bluezone-1","weight":-1}]}`, 422,
			"is outside 1 to 1000",
			playlists.Reason{Title: "nằm ngoài khoảng 1 đến 1000", Remedy: "để trống thì tính là 1", Field: "Trọng số"}},
		{"viet-ads", "PUT", own + "schedules/xx", `{"playlist":"yy","signs":["demo-64x32","demo-64x32"]}`, 422,
			"is named twice",
			playlists.Reason{Title: "được nêu hai lần", Remedy: "chỉ nêu một lần", Field: "Màn hình"}},
		{"viet-ads", "PUT", own + "schedules/xx", `{"playlist":"yy","first":"2021-02-30"}`, 422, "is not a date that exists",
			playlists.Reason{Title: "không phải là ngày có thật", Remedy: "viết dạng YYYY-MM-DD, ví dụ 2021-02-11",
				Field: "Từ ngày"}},
		{"viet-ads", "PUT", own + "schedules/xx", `{"playlist":"yy","first":"2021-02-03","last":"2021-02-01"}`, 422,
			"is before the first date, 2021-02-03",
			playlists.Reason{Title: "trước ngày đầu, 2021-02-03", Remedy: "đổi chỗ hai ngày, hoặc bỏ một ngày",
				Field: "Đến hết ngày"}},
		{"viet-ads", "PUT", own + "schedules/xx", `{"playlist":"yy"}`, 422, "does not exist",
			playlists.Reason{Title: "không tồn tại", Remedy: "hãy tạo mục đó trước", Field: "Danh sách phát"}},
		{"viet-ads", "PUT", "/api/v1/signs/va-001", `{"owner":"viet-ads","class":"128x64-blue","areas":["quang-ngai"]}`, 422,
			`has the unknown colour "blue"`,
			playlists.Reason{Title: `có màu "blue" không biết`, Remedy: "dùng rgb, red, amber, green, white hoặc redgreen",
				Field: "Loại màn hình"}},
		{"viet-ads", "PUT", "/api/v1/signs/va-001", `{"owner":"viet-ads","class":"128x64-rgb","areas":["hue"]}`, 422,
			"is not a known area",
			playlists.Reason{Title: "không phải là địa bàn đã khai báo",
				Remedy: "xem danh sách ở GET /api/v1/areas; địa bàn mới do Sở thêm", Field: "Địa bàn"}},
		{"viet-ads", "PUT", "/api/v1/signs/Qn_1", `{"owner":"viet-ads","class":"128x64-rgb","areas":["quang-ngai"]}`, 422,
			"is not a name: 2 to 48 of a-z, 0-9 and -, beginning with a letter or digit",
			playlists.Reason{Title: "không dùng làm mã được: cần 2 đến 48 ký tự a-z, 0-9 và -, bắt đầu bằng chữ hoặc số",
				Remedy: "dùng mã như bluezone-1", Field: "Mã"}},
		{"author", "PUT", "/api/v1/campaigns/xx",
			`{"letter":{"number":"1","date":"2021-01-30"},"messages":["bluezone-1"],"share_percent":0,` +
				`"areas":["quang-ngai"],"first":"2021-02-01","last":"2021-02-02"}`, 422, "is outside 1 to 100 percent",
			playlists.Reason{Title: "nằm ngoài khoảng 1 đến 100 %", Remedy: "đặt tỷ lệ thời gian của màn hình, ví dụ 20",
				Field: "Tỷ lệ"}},
		{"author", "POST", "/api/v1/alerts", `{"id":"xx","text":"A","until":0}`, 422, "are missing, and so are signs",
			playlists.Reason{Title: "còn thiếu, mà cũng không có màn hình nào", Remedy: "chọn địa bàn hoặc màn hình nhận tin",
				Field: "Địa bàn"}},
		{"author", "POST", "/api/v1/alerts", `{"id":"xx","text":"A","message":"b","areas":["quang-ngai"]}`, 422,
			"gives 2 of message, text and template",
			playlists.Reason{Title: "nêu 2 trong ba mục: tin có sẵn, lời tự viết và mẫu tin", Remedy: "chỉ nêu đúng một mục",
				Field: "Tin"}},
		{"viet-ads", "GET", "/api/v1/audit?limit=9999", "", 422, "is not a number from 1 to 500",
			playlists.Reason{Title: "không phải là số từ 1 đến 500", Remedy: "sửa lại, hoặc bỏ đi", Field: "Số mục"}},
		{"author", "GET", "/api/v1/audit", "", 403, "is not for the role author",
			playlists.Reason{Title: "không thuộc quyền của vai trò người soạn", Remedy: "đề nghị quản trị của Sở"}},
		{"viet-ads", "GET", "/api/v1/signs/demo-320x160", "", 404, "does not exist",
			playlists.Reason{Title: "không tồn tại", Remedy: "xem danh sách ở đường dẫn phía trên"}},
		{"viet-ads", "GET", "/api/v1/signs/demo-64x32/at?time=now", "", 422, "is not a time",
			playlists.Reason{Title: "không phải là thời điểm", Remedy: "viết như 2021-01-30T02:30:00+07:00 (dấu + viết là %2B)",
				Field: "Thời điểm"}},
		{"viet-ads", "PUT", "/api/v1/users/lan", `{"owner":"viet-ads","role":"approver"}`, 422, "is not a role of viet-ads",
			playlists.Reason{Title: "không phải là vai trò của viet-ads",
				Remedy: "dùng một trong các giá trị admin, editor, viewer", Field: "Vai trò"}},
		{"nobody", "GET", "/api/v1/audit", "", 401, "is not a bearer token of ledcast",
			playlists.Reason{Title: "không phải là mã truy cập của ledcast", Remedy: "gửi kèm Authorization: Bearer ledcast_…"}},
		{"viet-ads", "GET", "/api/v1/reports/share?from=2021-01-30&to=2021-01-29", "", 422, "is not after from",
			playlists.Reason{Title: "không sau thời điểm đầu", Remedy: "chọn thời điểm muộn hơn"}},
	} {
		status, text, _ := c.do(x.as, x.method, x.path, x.body)
		var got struct {
			Code, Title, Remedy string
			VI                  playlists.Reason
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s %s: %d %s", x.method, x.path, status, text)
			continue
		}
		if status != x.status || got.Title != x.title || got.VI != x.vi || got.Code == "" || got.Remedy == "" ||
			strings.ContainsAny(got.Remedy, "ạảấầẩẫậắằẳẵặẹẻẽếềểễệ") {
			t.Errorf("%s %s %s\n got %d %q %+v\nwant %d %q %+v", x.method, x.path, x.body, status, got.Title, got.VI, x.status,
				x.title, x.vi)
		}
	}
}
