package playlists

// AlertView is an alert with how far it came: what the API answers and events
// carry. Each targeted sign is counted once, at the furthest it came: targeted,
// sent, rejected, received or showing. A picture sign stays at sent.
type AlertView struct {
	Alert
	Targeted int `json:"targeted"` // all signs that it is meant for
	Sent     int `json:"sent"`
	Received int `json:"received"`
	Showing  int `json:"showing"`
	Rejected int `json:"rejected"`
	// have not acked it when it ended, or for a minute; out-of-service signs never
	Missed       []string         `json:"missed"`
	OutOfService []string         `json:"out_of_service"` // of those that have not acked it
	Rejections   []AlertRejection `json:"rejections"`
	Times        *AlertTimes      `json:"times,omitempty"`
	Call         []AlertCall      `json:"call"` // whom to call about missed and rejected
	// Of an answer to an approval: signs that came into reach, and left it, since the preview.
	Came []string `json:"came,omitempty"`
	Gone []string `json:"gone,omitempty"`
	// Of an answer to a cancel: the database could not be reached. Signs are told; the cancel is kept in the data folder
	// and written when the database is back.
	Unsaved bool `json:"unsaved,omitempty"`
}

// AlertRejection is a sign that refused the alert, and why, as it said.
type AlertRejection struct {
	Sign   string `json:"sign"`
	Reason string `json:"reason"`
}

// AlertTimes are from approval (or from, if that is later) to the ack showing;
// of a drill, to the ack received. In milliseconds.
type AlertTimes struct {
	P50MS   int64      `json:"p50_ms"`
	P95MS   int64      `json:"p95_ms"`
	P99MS   int64      `json:"p99_ms"`
	Slowest []SlowSign `json:"slowest"` // at most 10
}

// SlowSign is how long a sign took.
type SlowSign struct {
	Sign string `json:"sign"`
	MS   int64  `json:"ms"`
}

// AlertCall is whom to call about a sign.
type AlertCall struct {
	Sign  string `json:"sign"`
	Owner string `json:"owner"` // the company's name
	Phone string `json:"phone"` // "" where nobody gave one
}

// AlertPreview is what an approver sees: the signs that an alert would reach
// now, and how it looks there.
type AlertPreview struct {
	ID           string       `json:"id"`
	Digest       string       `json:"digest"` // of the words, frames and signs shown here: an approval names it
	Says         []string     `json:"says"`   // its words, a line for each language
	Signs        int          `json:"signs"`  // in all, picture signs among them: the number to type
	Pictures     int          `json:"pictures"`
	ByCompany    []SignCount  `json:"by_company"`
	ByArea       []SignCount  `json:"by_area"`
	OutOfService []OutOfOrder `json:"out_of_service"`
	// New are signs that show it, too, and at which the department has not looked yet. They are not in the number.
	New []string `json:"new,omitempty"`
	// Signs that have never been connected, and those that are not now. The alert reaches them when they connect.
	Never   []string `json:"never,omitempty"`
	Offline []string `json:"offline,omitempty"`
	Dark    []string `json:"dark,omitempty"` // dark at this hour by their rules; the alert lights them
	// Rejected are the signs that can show no form of it.
	Rejected   []AlertRejection `json:"rejected"`
	Classes    []AlertOnSign    `json:"classes"`
	Correction []AlertOnSign    `json:"correction"` // empty without one
	// What was let through by name, and why, though it cannot be read on a sign.
	Override string `json:"override,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// SignCount is how many signs a company or an area has.
type SignCount struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Signs int    `json:"signs"`
}

// OutOfOrder is a sign that its company took out of service, and why.
type OutOfOrder struct {
	Sign   string `json:"sign"`
	Reason string `json:"reason"`
}

// AlertOnSign is how an alert looks on a class.
type AlertOnSign struct {
	Class    string       `json:"class"`
	Signs    int          `json:"signs"`
	Frames   []AlertFrame `json:"frames"` // in the order of showing
	Findings []Finding    `json:"findings"`
	Form     int          `json:"form,omitempty"`   // 1 and more: a shorter form of the words
	Unable   bool         `json:"unable,omitempty"` // it can show no form; Findings say why
	Late     bool         `json:"late,omitempty"`   // it is still being drawn
}

// AlertFrame is one step of it.
type AlertFrame struct {
	URL string `json:"url"` // a PNG or JPEG
	MS  int64  `json:"ms"`
}

// AlertReport says after the end which sign showed it when, and what gave way.
type AlertReport struct {
	ID      string       `json:"id"`
	Signs   []SignShowed `json:"signs"`
	GaveWay []GaveWay    `json:"gave_way"`
}

// SignShowed is one sign's part. Times are 0 where it did not say so.
type SignShowed struct {
	Sign    string `json:"sign"`
	Owner   string `json:"owner"`
	Reached string `json:"reached"` // targeted, sent, rejected, received or showing
	Reason  string `json:"reason,omitempty"`
	FromMS  int64  `json:"from_ms"`   // by its acks
	UntilMS int64  `json:"until_ms"`  // by its acks
	ProofMS int64  `json:"proved_ms"` // how long, by its proof of play
}

// GaveWay is how long a company's item would have shown on all signs that
// showed the alert in its place, by the programs that were in force.
type GaveWay struct {
	Owner string `json:"owner"`
	Item  string `json:"item"` // of the department's own; "" for all of a company's together
	MS    int64  `json:"ms"`
}

// Webhook is an address that is told of alerts.
type Webhook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`           // started, ended, missed, break-glass, pending, cancelled
	Secret string   `json:"secret,omitempty"` // written, never answered
}

// DrillPlan is when the controller makes its weekly drill, in
// Asia/Ho_Chi_Minh.
type DrillPlan struct {
	On  bool   `json:"on"`
	Day string `json:"day"` // "mon" to "sun"
	At  string `json:"at"`  // "HH:MM"
}

// CheckDigest returns an *Error unless an approval names the digest of what
// holds now: read is what the approver read.
func CheckDigest(read, now string) error {
	switch read {
	case now:
		return nil
	case "":
		return &Error{Code: Invalid, Field: "digest", Key: "digest-missing"}
	}
	return &Error{Code: Conflict, Field: "digest", Value: read, Key: "content-changed"}
}
