package render

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/text/unicode/norm"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// The independent readers are other people's programs: Debian's tesseract-ocr
// with tesseract-ocr-vie, and zbar-tools. They are a proxy for a person on the
// road, not a proof. Their tests take minutes, so they run where
// LEDCAST_FULL is set; there a missing reader is a failure.
func needReader(t *testing.T, tool string) string {
	t.Helper()
	if underRace {
		t.Skip("read without the race detector: the same frames")
	}
	if os.Getenv("LEDCAST_FULL") == "" {
		t.Skip("set LEDCAST_FULL=1 to let " + tool + " read the frames")
	}
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install tesseract-ocr tesseract-ocr-vie zbar-tools", tool)
	}
	return path
}

// sheet is one page for a reader: its picture and what it says.
type sheet struct {
	name string
	img  image.Image
	says string
	cap  int // height of its smallest capitals, pixels
}

// sheets lays a message out and draws every page that has words.
func sheets(t *testing.T, r *Renderer, m *playlists.Message, c playlists.Class) []sheet {
	t.Helper()
	theme, err := lookUpTheme(m.Theme)
	if err != nil {
		t.Fatal(err)
	}
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	lay, err := l.message(m, Options{Motion: playlists.Stills})
	if err != nil {
		t.Fatalf("%s on %s: %v", m.ID, c, err)
	}
	var out []sheet
	for i, s := range lay.scenes {
		var says []string
		for _, set := range s.card.sets {
			for _, sp := range set.spans {
				line := ""
				for k := sp.from; k < sp.to; k++ {
					line += set.run.words[k].s
					if set.run.words[k].spaced && k < sp.to-1 {
						line += " "
					}
				}
				says = append(says, line)
			}
		}
		if len(says) == 0 {
			continue
		}
		var of playlists.Artwork
		smallest(&of, s.card.sets, "")
		cv := &canvas{}
		cv.reset(c.W, c.H, c.Colour != playlists.RGB)
		if err := cv.card(s.card, reduce(theme, c.Colour), r.fonts, &r.icons); err != nil {
			t.Fatal(err)
		}
		if q := s.card.qr; q != nil {
			cv.fill(q.x, q.y, q.x+q.side(), q.y+q.side(), cv.ramp(theme.Ground, theme.Text))
		}
		img, err := DecodeFrame(r.encode(cv, c))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sheet{fmt.Sprintf("%s-%s-%d", c, m.ID, i), img, strings.Join(says, "\n"), of.CapPx})
	}
	return out
}

// forReader resizes a page as FACTS.md found best for tesseract: capitals of
// about 36 pixels, 300 to 550 wide.
func forReader(s sheet) image.Image {
	b := s.img.Bounds().Size()
	w := b.X * 30 / s.cap
	w = min(max(w, 300), 550)
	h := max(1, b.Y*w/b.X)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(out, out.Rect, s.img, s.img.Bounds(), draw.Src, nil)
	return out
}

// readAll lets tesseract read the pages, one process for all.
func readAll(t *testing.T, tool string, pages []sheet, size func(sheet) image.Image) []string {
	t.Helper()
	dir := t.TempDir()
	var list bytes.Buffer
	for i, s := range pages {
		name := filepath.Join(dir, fmt.Sprintf("%04d.png", i))
		var b bytes.Buffer
		if err := png.Encode(&b, size(s)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&list, name)
	}
	names := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(names, list.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// Words of several sizes in one column; a line that is not read with
	// confidence is tried as light on dark, which ours are.
	cmd := exec.CommandContext(ctx, tool, names, "-", "-l", "vie", "--psm", "4", "-c", "invert_threshold=0.95")
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tesseract: %v\n%s", err, stderr.String())
	}
	texts := strings.Split(string(out), "\f")
	if len(texts) < len(pages) {
		t.Fatalf("tesseract read %d of %d pages", len(texts), len(pages))
	}
	return texts[:len(pages)]
}

// fold is a text as the comparison sees it: NFC, one space between words, and
// O and 0 as one letter, which Barlow draws alike.
func fold(s string) []rune {
	s = strings.ReplaceAll(strings.Join(strings.Fields(norm.NFC.String(s)), " "), "O", "0")
	// A dash is a dash, and a straight quote any quote.
	return []rune(strings.NewReplacer("—", "-", "–", "-", "’", "'", "‘", "'").Replace(s))
}

// edits is Levenshtein's distance.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before := row[0]
		row[0] = i + 1
		for j := range b {
			d := before
			if a[i] != b[j] {
				d++
			}
			before = row[j+1]
			row[j+1] = min(d, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// furtherTexts are forty beyond the default content: capitals and mixed case,
// stacked diacritics, numbers, addresses.
var furtherTexts = []string{
	"ĐEO KHẨU TRANG NƠI CÔNG CỘNG", "Rửa tay thường xuyên bằng xà phòng", "HẠN CHẾ ĐẾN NƠI ĐÔNG NGƯỜI",
	"Giữ khoảng cách an toàn khi tiếp xúc", "KHAI BÁO Y TẾ TRUNG THỰC", "Gọi 1900 9095 khi sốt, ho, khó thở",
	"Đường dây nóng: 0255 3822 888", "Sở Y tế Quảng Ngãi: 0914 021 021", "CẢNH BÁO MƯA LỚN VÀ LŨ QUÉT",
	"Nguy cơ sạt lở đất ở miền núi", "Bão số 9 đang đến gần bờ", "DI DỜI NGAY ĐẾN NƠI AN TOÀN",
	"Đóng cửa, chằng chống nhà cửa", "Không ra khỏi nhà sau 18 giờ", "Tắt điện, khóa ga trước khi đi",
	"Trường học nghỉ ngày 25/01/2021", "Tiêm vắc xin tại trạm y tế xã", "Uống thuốc đúng chỉ dẫn",
	"Đội mũ bảo hiểm khi đi xe máy", "ĐÃ UỐNG RƯỢU BIA, KHÔNG LÁI XE", "Giảm tốc độ: đường trơn trượt",
	"Thắt dây an toàn", "Cấm đường Hùng Vương từ 7:00", "Ùn tắc tại cầu Trà Khúc",
	"Tiết kiệm điện giờ cao điểm", "Phòng chống sốt xuất huyết", "Diệt lăng quăng, bọ gậy",
	"Ăn chín, uống sôi", "Hiến máu cứu người", "Trồng cây, giữ rừng",
	"Chúc mừng năm mới Tân Sửu", "Kính chào quý khách", "Tra cứu tại quangngai.gov.vn",
	"Nộp hồ sơ trực tuyến", "Họp dân lúc 19:30 tối nay", "Mở cửa từ 8:00 đến 17:00",
	"Nghiêm cấm đổ rác bừa bãi", "Ướt, trơn: đi chậm", "BẬT ĐÈN, GIẢM TỐC ĐỘ", "Khẩn: thiếu nhóm máu O",
}

// readerMessages are all that the readers read.
func readerMessages(t *testing.T) []*playlists.Message {
	_, man := defaultContent(t)
	var all []*playlists.Message
	for i := range manifest.All[*playlists.Message](man) {
		all = append(all, manifest.All[*playlists.Message](man)[i])
	}
	if len(furtherTexts) < 40 {
		t.Fatalf("%d further texts, want 40", len(furtherTexts))
	}
	for i, s := range furtherTexts {
		all = append(all, &playlists.Message{ID: fmt.Sprintf("text-%02d", i), Owner: playlists.Public,
			Variants: []playlists.Variant{{Lang: "vi", Body: s}}})
	}
	return all
}

// maxErrors is the character error rate over a class that is still good.
const maxErrors = 0.02

func TestTesseractReadsFrames(t *testing.T) {
	tool := needReader(t, "tesseract")
	r := mustNew(t)
	all := readerMessages(t)
	for _, k := range []struct {
		class  string
		strict bool
	}{{"128x64-rgb", true}, {"192x96-rgb", true}, {"192x96-red", true}, {"320x160-rgb", true}, {"1920x1080-rgb", true},
		{"64x32-red", false}, {"96x48-rgb", false}} {
		t.Run(k.class, func(t *testing.T) {
			t.Parallel()
			var pages []sheet
			for _, m := range all {
				pages = append(pages, sheets(t, r, m, mustClass(t, k.class))...)
			}
			letters, wrong := 0, 0
			for i, got := range readAll(t, tool, pages, forReader) {
				want := fold(pages[i].says)
				n := edits(want, fold(got))
				letters, wrong = letters+len(want), wrong+n
				if n > 0 {
					t.Logf("%s: %d: %q read as %q", pages[i].name, n, string(want), string(fold(got)))
				}
			}
			rate := float64(wrong) / float64(letters)
			t.Logf("%s: %d of %d characters wrong on %d pages: %.2f %%", k.class, wrong, letters, len(pages), 100*rate)
			if k.strict && rate > maxErrors {
				t.Errorf("%s: character error rate %.2f %%, over %.0f %%", k.class, 100*rate, 100*maxErrors)
			}
		})
	}
}

// What somebody sees from afar, read by the same program: 60 m from LEDs 10 mm
// apart. It is reported, not demanded: tesseract is no eye.
func TestTesseractReadsFromAfar(t *testing.T) {
	tool := needReader(t, "tesseract")
	r := mustNew(t)
	for _, class := range []string{"128x64-rgb", "192x96-rgb", "320x160-rgb"} {
		c := mustClass(t, class)
		var pages []sheet
		for _, m := range readerMessages(t) {
			pages = append(pages, sheets(t, r, m, c)...)
		}
		letters, wrong := 0, 0
		for i, got := range readAll(t, tool, pages, func(s sheet) image.Image {
			far := Distant(s.img, c, 60, 10)
			// As large as the near picture would be, so that only detail is lost.
			b := far.Bounds().Size()
			w := min(max(c.W*30/s.cap, 300), 550)
			out := image.NewRGBA(image.Rect(0, 0, w, max(1, b.Y*w/b.X)))
			draw.BiLinear.Scale(out, out.Rect, far, far.Bounds(), draw.Src, nil)
			return out
		}) {
			want := fold(pages[i].says)
			letters, wrong = letters+len(want), wrong+edits(want, fold(got))
		}
		t.Logf("%s from 60 m at a pitch of 10 mm: %.1f %% of %d characters wrong", class,
			100*float64(wrong)/float64(letters), letters)
	}
}
