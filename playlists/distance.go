package playlists

import (
	"fmt"
	"math"
)

// metresPerPixel is how far a capital letter of one pixel's height is read
// from at a pitch of 1 mm: 1 inch of letter for 30 feet (MUTCD 2A.13).
const metresPerPixel = 0.36

// CheckDistance is the finding "distance" where capitals of capPx pixels, with
// pitchMM millimetres between LEDs, cannot be read from distanceM metres. It is
// nil where they can, and where one of the three is 0, which means unknown.
func CheckDistance(c Class, capPx int, pitchMM, distanceM float64) *Finding {
	if distanceM == 0 || pitchMM == 0 || capPx == 0 {
		return nil
	}
	reach := metresPerPixel * float64(capPx) * pitchMM
	if reach >= distanceM {
		return nil
	}
	need := int(math.Ceil(distanceM / metresPerPixel / pitchMM))
	return &Finding{Level: Warn, Code: "distance", Class: c.String(), Field: "variants",
		Text: Text{VI: fmt.Sprintf("Chữ hoa cao %d điểm, đọc được từ khoảng %.0f m; cần đọc từ %.0f m.", capPx, reach,
			distanceM),
			EN: fmt.Sprintf("Capitals are %d px high and are read from about %.0f m, not from %.0f m.", capPx, reach,
				distanceM)},
		Remedy: Text{VI: fmt.Sprintf("Viết ngắn lại để chữ cao ít nhất %d điểm, hoặc dùng màn hình lớn hơn.", need),
			EN: fmt.Sprintf("Shorten it until letters are %d px high, or use a larger face.", need)},
		Numbers: map[string]float64{"cap_px": float64(capPx), "reach_m": math.Round(reach), "distance_m": distanceM,
			"need_px": float64(need)}}
}
