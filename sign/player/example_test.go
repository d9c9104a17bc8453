package player_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"ledcast/playlists/timeline"
	"ledcast/sign/player"
)

// A sign gives the player what it accepted, asks what shows, and sleeps until the answer changes.
func ExamplePlayer() {
	const now = int64(1_800_000_000_000) // Unix ms; the system says that NTP holds its clock
	p := player.New("qn-001", []string{"quang-ngai"}, player.StartClock(0, now, 0, true))
	p.SetProgram(&timeline.Program{
		Header: timeline.Header{Exp: now/1000 + 86400}, Areas: []string{"quang-ngai"},
		Frames: []timeline.Frame{{SHA256: "…", W: 4, H: 2}},
		Items: []timeline.Item{
			{ID: "wash-hands", Steps: []timeline.Step{{MS: 8000}}},
			{ID: "coffee", Steps: []timeline.Step{{MS: 4000}}},
		},
		Loops: []timeline.Loop{{Anchor: now / 1000, Order: []int64{0, 1}}}, CommLoss: timeline.CommLoss{AfterS: 86400},
	})
	p.Contact(0)
	for mono := int64(0); mono < 20_000; {
		shown, next := p.At(mono)
		fmt.Println(mono, shown.Item)
		mono = next
	}
	// Output:
	// 0 wash-hands
	// 8000 coffee
	// 12000 wash-hands
}

// A frame is prepared once. Each step of a scroll is then one copy a row.
func ExampleStrip() {
	frame := image.NewRGBA(image.Rect(0, 0, 6, 1)) // a strip for a face of 2x1, red from its third pixel on
	draw.Draw(frame, image.Rect(2, 0, 6, 1), image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	strip, face := player.NewStrip(frame, 2, 1, "x"), image.NewRGBA(image.Rect(0, 0, 2, 1))
	for _, tau := range []int64{0, 1000, 2000} {
		strip.Blit(
			face,
			&timeline.Shown{
				Frame:  &timeline.Frame{W: 6, H: 1},
				Scroll: &timeline.Scroll{Axis: "x", PxS: 1},
				TauMS:  tau,
			},
		)
		fmt.Println(face.RGBAAt(0, 0).R, face.RGBAAt(1, 0).R)
	}
	// Output:
	// 0 0
	// 0 255
	// 255 255
}
