package assets

// Icons has the paths of the icons that are drawn beside a text, by the name that a message uses. A path is on a
// square of 24 x 24 units and is filled by the even-odd rule. Its commands are:
//
//	M x y     begin a part
//	L x y     a line
//	C x y x y x y   a curve, as in SVG
//	Z         close the part
//	O x y r   a circle
//	R x y w h r   a rectangle with corners of radius r
//
// Shapes and gaps are at least two units wide, so that an icon is recognizable on 32 LEDs.
var Icons = map[string]string{
	// A phone with its screen and key.
	"phone": "R 6 1 12 22 2.5 R 8 4 8 13 0.8 O 12 20 1.3",
	// A handset, for numbers to call.
	"call": "M 6 2 L 10 2 L 12 8 L 9 10.5 C 10.5 13.5 12 14.5 14 15.5 L 16.5 12.5 L 22 15 L 22 19 C 21.5 21.5 19.5 22.5 17.5 22 C 10 20.5 4 14 2.5 6.5 C 2.2 4.2 3.5 2.3 6 2 Z",
	// Bluetooth's rune in a round-ended badge.
	"bluetooth": "R 4 1 16 22 8 M 11 3.5 L 17 8.5 L 13.5 12 L 17 15.5 L 11 20.5 L 11 14.4 L 8.2 17 L 6.8 15.4 L 10.4 12 L 6.8 8.6 L 8.2 7 L 11 9.6 Z M 13 7.6 L 13 10 L 14.3 8.7 Z M 13 14 L 13 16.4 L 14.3 15.3 Z",
	// A building with windows and a door.
	"office": "R 3 2 18 20 1 R 6 5 3 3 0 R 10.5 5 3 3 0 R 15 5 3 3 0 R 6 10 3 3 0 R 10.5 10 3 3 0 R 15 10 3 3 0 R 10 16 4 6 0",
	// A shield with a tick.
	"shield": "M 12 1 L 21 4 L 21 11 C 21 17 17 21 12 23 C 7 21 3 17 3 11 L 3 4 Z M 10.6 17 L 18 9.4 L 16 7.4 L 10.6 13 L 8 10.4 L 6 12.4 Z",
	// A face with a mask.
	"mask": "O 12 11 10.5 O 8 7.6 1.6 O 16 7.6 1.6 M 1 10.6 L 4.6 11.6 L 12 10 L 19.4 11.6 L 23 10.6 L 23 12.6 L 20 13.6 L 20 16.5 C 18.5 20 15.5 22 12 22.6 C 8.5 22 5.5 20 4 16.5 L 4 13.6 L 1 12.6 Z M 6 13.2 L 12 11.8 L 18 13.2 L 18 16 C 16.8 18.6 14.6 20 12 20.6 C 9.4 20 7.2 18.6 6 16 Z M 8.4 15 L 8.4 16.2 L 15.6 16.2 L 15.6 15 Z",
	// A hand under drops.
	"wash": "M 7 1 C 9 3.6 10 5 10 6.3 C 10 8 8.7 9 7 9 C 5.3 9 4 8 4 6.3 C 4 5 5 3.6 7 1 Z M 16 1 C 18 3.6 19 5 19 6.3 C 19 8 17.7 9 16 9 C 14.3 9 13 8 13 6.3 C 13 5 14 3.6 16 1 Z M 1 12 L 8 11 L 14 13 C 15.5 13.6 15.3 15.8 13.6 15.8 L 9 15.6 L 9 16.8 L 14.5 17.3 L 20.5 13.3 C 22.3 12.4 23.6 14.3 22.2 15.6 L 15.6 21.4 C 15 21.9 14.3 22 13.5 22 L 1 21 Z",
	// Two people with arrows between them.
	"distance": "O 4 5 3 R 0.8 8.6 6.4 9.4 2 R 2 18 4 5 0 O 20 5 3 R 16.8 8.6 6.4 9.4 2 R 18 18 4 5 0 M 8 13.5 L 10.5 11 L 10.5 12.7 L 13.5 12.7 L 13.5 11 L 16 13.5 L 13.5 16 L 13.5 14.3 L 10.5 14.3 L 10.5 16 Z",
	// Three people crossed out.
	"crowd": "O 12 6 3 O 5 8 2.4 O 19 8 2.4 M 8 22 L 8 13 C 8 11 9.8 10 12 10 C 14.2 10 16 11 16 13 L 16 22 Z M 2 22 L 2 14 C 2 12.4 3.3 11.6 5 11.6 C 5.7 11.6 6.3 11.7 6.7 12 C 6.3 13 6.2 13.5 6.2 14.5 L 6.2 22 Z M 22 22 L 22 14 C 22 12.4 20.7 11.6 19 11.6 C 18.3 11.6 17.7 11.7 17.3 12 C 17.7 13 17.8 13.5 17.8 14.5 L 17.8 22 Z",
	// A form on a board.
	"form": "R 3 3 18 20 2 R 8 1 8 5 1 R 6 9 12 2 0 R 6 13 12 2 0 R 6 17 8 2 0",
	// A triangle with an exclamation mark.
	"warning": "M 12 1.5 L 23.4 22 L 0.6 22 Z M 10.7 8 L 13.3 8 L 12.9 15.5 L 11.1 15.5 Z O 12 18.5 1.5",
	// A circle with an i.
	"info": "O 12 12 11 O 12 6.6 1.7 R 10.3 10 3.4 8.6 0.6",
}
