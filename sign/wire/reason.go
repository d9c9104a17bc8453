package wire

import (
	"errors"
	"fmt"
)

// Reason is why a document was not accepted. The checks are made in the order of the constants, and the first failure
// is the reason.
type Reason string

const (
	TooLarge     Reason = "too-large"
	BadHeader    Reason = "bad-header"    // not three strict parts, other header bytes, or another typ than its topic's
	UnknownKey   Reason = "unknown-key"   // no unrevoked key of that kid and role with nbf ≤ now < exp
	BadSignature Reason = "bad-signature" //
	BadDocument  Reason = "bad-document"  // JSON, v, role, too long a life, an index, a limit other than size
	WrongSign    Reason = "wrong-sign"
	WrongClass   Reason = "wrong-class"
	WrongEpoch   Reason = "wrong-epoch" // not the accepted key set's
	StaleSeq     Reason = "stale-seq"   // under the floor, or at it with other bytes
	NotYet       Reason = "not-yet"     // now < nbf
	Expired      Reason = "expired"     // exp ≤ now
	MissingFrame Reason = "missing-frame"
	BadFrame     Reason = "bad-frame" // digest, length, size or profile
)

// Rejection is the error of every check here.
type Rejection struct {
	Reason Reason
	Detail string // for the log; never for the face
}

func (r *Rejection) Error() string { return string(r.Reason) + ": " + r.Detail }

func reject(r Reason, format string, args ...any) error {
	return &Rejection{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// ReasonOf is the reason within err, or "" for nil.
func ReasonOf(err error) Reason {
	var r *Rejection
	if errors.As(err, &r) {
		return r.Reason
	}
	if err != nil {
		return BadDocument
	}
	return ""
}

// ErrLost is the fault of a stored frame that is no longer what was accepted.
var ErrLost = errors.New("a stored frame is damaged or gone")
