package wire

import "ledcast/playlists/timeline"

// Limits of messages and documents (docs/protocol.md, "Limits"), as timeline has them.
const (
	MaxDocument = timeline.MaxDocument
	MaxFrame    = timeline.MaxFrame
	MaxStatus   = timeline.MaxStatus
	MaxAck      = timeline.MaxAck
	MaxPlayed   = timeline.MaxPlayed
	MaxSnapshot = timeline.MaxSnapshot

	MaxFrames      = timeline.MaxFrames
	MaxFrameBytes  = timeline.MaxFrameBytes
	MaxStripPixels = timeline.MaxStripPixels
	MaxStripLen    = timeline.MaxStripLen
	MinStepMS      = timeline.MinStepMS
	MaxAlerts      = timeline.MaxAlerts
	MaxAlertFrames = timeline.MaxAlertFrames
	MaxAlertBytes  = timeline.MaxAlertBytes
	MaxAlertSigns  = timeline.MaxAlertSigns
	MaxAlertLife   = timeline.MaxAlertLife
	MaxPlays       = timeline.MaxPlays
)
