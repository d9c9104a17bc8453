package timeline

// Limits of the wire (docs/protocol.md, "Limits"). They stand here because all of ledcast may import this package.
const (
	// Bytes of one message.
	MaxDocument = 256 << 10 // a signed document as compact JWS
	MaxFrame    = 900 << 10 // a frame file
	MaxStatus   = 4 << 10
	MaxAck      = 1 << 10
	MaxPlayed   = 64 << 10
	MaxSnapshot = 900 << 10

	// Of one program, or of one alert where it says so.
	MaxFrames      = 800
	MaxFrameBytes  = 64 << 20 // all frames of a program
	MaxStripPixels = 4 << 20  // of one frame
	MaxStripLen    = 32767    // pixels along its axis
	MinStepMS      = 100      // of an alert, too

	// Of the alert set of one class.
	MaxAlerts      = 16
	MaxAlertFrames = 48
	MaxAlertBytes  = 2 << 20 // all frames of the set

	// Of one alert.
	MaxAlertSigns = 500       // named one by one
	MaxAlertLife  = 24 * 3600 // s from From to Until

	// Of one proof of play.
	MaxPlays = 200

	// More than FloodMessages in FloodMS from one sign are dropped.
	FloodMessages = 20
	FloodMS       = 10_000
)
