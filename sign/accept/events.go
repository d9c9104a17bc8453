package accept

import (
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Event is something that happened to a sign: one of the types below.
type Event interface{ event() }

type (
	// Document is a signed document that arrived on a topic for which Reads reports true.
	Document struct {
		Topic string
		Doc   []byte
	}
	// Stored answers a Store. OK is false if the document could not be written; Floor says that its floor was written
	// all the same.
	Stored struct {
		Store     Store
		OK, Floor bool
	}
	// ProgramFrames answers a FetchProgram once every frame of the pending program is there and was checked.
	ProgramFrames struct{}
	// AlertFrames answers a CheckAlert: Whole reports whether every frame of the alert is there and was checked.
	AlertFrames struct {
		Check CheckAlert
		Whole bool
	}
	// FramesChanged reports that frames of alerts came or went. The machine asks about every alert again.
	FramesChanged struct{}
	// FrameFailed reports that a frame did not come in time (wire.MissingFrame), or came with wrong bytes
	// (wire.BadFrame).
	FrameFailed struct {
		SHA256 string
		Reason wire.Reason
	}
	// Shown reports that the first pixel of an alert, or else of the program, is on the output. Frame is its
	// digest; it is empty for a dark face.
	Shown struct {
		Alert string
		Frame string
	}
	// Over reports that an alert has run out by the sign's own deadline.
	Over struct{ Alert string }
	// Revived reports that an alert which had run out runs again, because a signed time moved the clock back.
	Revived struct{ Alert string }
	// Lost reports that the stored document of a role can no longer be read. Its next repeat is stored again.
	Lost struct{ Role string }
	// ClockSet reports that the clock was set: documents that wait are tried again.
	ClockSet struct{}
)

func (Document) event()      {}
func (Stored) event()        {}
func (ProgramFrames) event() {}
func (AlertFrames) event()   {}
func (FramesChanged) event() {}
func (FrameFailed) event()   {}
func (Shown) event()         {}
func (Over) event()          {}
func (Revived) event()       {}
func (Lost) event()          {}
func (ClockSet) event()      {}

// Effect is something that the host of a machine must do: one of the types below. The host carries effects out
// one by one in their order. It steps the answer to an effect, and carries out what follows from that, before it
// goes on to the next effect.
type Effect interface{ effect() }

type (
	// Refused is a document that failed a check. It is for the log; an Ack follows where the protocol asks for one.
	Refused struct {
		Role string
		Err  error
	}
	// SendAck publishes an ack.
	SendAck struct{ Ack wire.Ack }
	// SendStatus publishes the sign's status, because what it says has changed.
	SendStatus struct{}
	// Store writes an accepted document and its floor, synced. The host answers with Stored.
	Store struct {
		Role, Subject string
		Epoch, Seq    int64
		Digest        string // of Doc
		Doc           []byte
		FirstRetired  bool // of a key set: the first root is no longer believed; store this, too
	}
	// Drop forgets the stored document of a role and keeps its floor.
	Drop struct{ Role string }
	// FetchProgram asks for the frames of the pending program. The host answers with ProgramFrames, perhaps much
	// later, and with FrameFailed.
	FetchProgram struct{ Program *timeline.Program }
	// SetProgram puts a program in force; nil is none.
	SetProgram struct{ Program *timeline.Program }
	// SetAlerts puts an alert set in force; nil is none.
	SetAlerts struct {
		Test bool
		Set  *timeline.AlertSet
	}
	// CheckAlert asks whether the frames of an alert are there. The host answers with AlertFrames at once and
	// fetches what is missing.
	CheckAlert struct {
		Test  bool
		Set   *timeline.AlertSet
		Alert *timeline.Alert
		Fresh bool // its set has just arrived: it is acked even if nothing changed
	}
	// Perform carries out a request.
	Perform struct{ Request *wire.SignRequest }
	// Again is a document that waited. The host steps it next.
	Again struct{ Document Document }
	// Save writes Ended to disk soon.
	Save struct{}
)

func (Refused) effect()      {}
func (SendAck) effect()      {}
func (SendStatus) effect()   {}
func (Store) effect()        {}
func (Drop) effect()         {}
func (FetchProgram) effect() {}
func (SetProgram) effect()   {}
func (SetAlerts) effect()    {}
func (CheckAlert) effect()   {}
func (Perform) effect()      {}
func (Again) effect()        {}
func (Save) effect()         {}
