package render

import (
	"fmt"

	"ledcast/playlists"
)

// warn makes a finding on this class.
func (l *layouter) warn(code, field string, text, remedy playlists.Text) playlists.Finding {
	return playlists.Finding{Level: playlists.Warn, Code: code, Class: l.class.String(), Field: field, Text: text,
		Remedy: remedy}
}

// noQR is the finding for a code that the face cannot show.
func (l *layouter) noQR() playlists.Finding {
	return l.warn("qr", "qr",
		playlists.Text{VI: "Màn hình này không hiện được mã QR: cần màn hình đủ màu và đủ lớn.",
			EN: "This face cannot show the QR code: it takes full colour and enough LEDs."},
		playlists.Text{VI: "Ghi thêm địa chỉ ngắn (address) để hiện thay mã.",
			EN: "Give a short address to print instead."})
}

// manyPages is the finding for a text that needs more pages than are read.
func (l *layouter) manyPages(n int) playlists.Finding {
	f := l.warn("fit", "variants",
		playlists.Text{VI: fmt.Sprintf("Nội dung cần %d trang trên màn hình này; người đi đường chỉ kịp đọc vài trang.", n),
			EN: fmt.Sprintf("The text needs %d pages on this face; somebody passing reads a few.", n)},
		playlists.Text{VI: "Viết ngắn lại, hoặc chia thành nhiều tin.", EN: "Shorten it, or make several messages."})
	f.Numbers = map[string]float64{"pages": float64(n)}
	return f
}

// wordCut is the finding for a word that was cut between letters.
func (l *layouter) wordCut() playlists.Finding {
	return l.warn("fit", "variants",
		playlists.Text{VI: "Có từ dài hơn bề ngang màn hình nên bị cắt sang dòng sau.",
			EN: "A word is wider than the face and was cut between letters."},
		playlists.Text{VI: "Dùng từ ngắn hơn, hoặc cho phép chạy chữ.", EN: "Use a shorter word, or allow scrolling."})
}

// scrollGivenUp is the finding for a scroll that became pages.
func (l *layouter) scrollGivenUp() playlists.Finding {
	return l.warn("scroll", "layout",
		playlists.Text{VI: "Màn hình này không cho chạy chữ; nội dung được chia thành từng trang.",
			EN: "This sign does not scroll; the text is shown in pages."},
		playlists.Text{VI: "Viết ngắn lại nếu quá nhiều trang.", EN: "Shorten it if the pages are too many."})
}
