package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Quiet is how long a sign that is watched may say nothing before it counts as
// stale: it is asked for a snapshot every 5 s.
const Quiet = 15 * time.Second

// SignView is a sign as pages see it.
type SignView struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Owner     string           `json:"owner"`
	OwnerName string           `json:"owner_name"`
	Class     string           `json:"class"`
	W         int              `json:"w"`
	H         int              `json:"h"`
	Colour    string           `json:"colour"`
	Areas     []string         `json:"areas"`
	Mode      string           `json:"mode"`
	Pitch     float64          `json:"pitch_mm,omitempty"`
	Phone     string           `json:"phone,omitempty"`
	Tags      []string         `json:"tags,omitempty"`
	Position  *playlists.Place `json:"position,omitempty"`
	TimeZone  string           `json:"time_zone"`
	Out       string           `json:"out_of_service,omitempty"` // why, if it is
	Test      bool             `json:"test"`
	State     string           `json:"state"` // "online", "stale", "offline", "never", "unknown"
	HeardMS   int64            `json:"heard_ms"`
	ShotMS    int64            `json:"shot_ms"`
	Clock     string           `json:"clock,omitempty"`
	Seq       int64            `json:"seq"`    // of the program that the sign says it plays
	Wanted    int64            `json:"wanted"` // of the program that it should play
	// by the sign's program, where the sign says that it plays it; nil otherwise
	Showing *Showing `json:"showing,omitempty"`
	Said    *Said    `json:"said,omitempty"` // what its last status says
	// whether its last snapshot is what its program says; nil: not compared
	Agrees *bool `json:"agrees,omitempty"`
	// how it counts for urgent messages: "" as any other, new, excluded, or waiting for the department
	Alerts playlists.SignAlerts `json:"alerts,omitempty"`
	// of one sign: why it can show no template of urgent messages, not even in short
	Unable    *playlists.Finding `json:"alerts_unable,omitempty"`
	Problem   string             `json:"problem,omitempty"`
	ProblemVI string             `json:"problem_vi,omitempty"` // the same in Vietnamese
	Faults    []string           `json:"faults,omitempty"`
	Dropped   int                `json:"dropped,omitempty"`
	Software  string             `json:"software,omitempty"`
}

// Showing is the face at a moment.
type Showing struct {
	AtMS    int64            `json:"at_ms"`
	Item    string           `json:"item"`
	Title   string           `json:"title,omitempty"` // what people call the item
	Owner   string           `json:"owner"`
	Why     string           `json:"why"`
	Rule    string           `json:"rule,omitempty"`
	Frame   string           `json:"frame"` // digest; "" is dark
	Scroll  *timeline.Scroll `json:"scroll,omitempty"`
	TauMS   int64            `json:"tau_ms"` // since the step began
	Percent int64            `json:"percent"`
	UntilMS int64            `json:"until_ms"`
}

// Said is what a sign's last status says.
type Said struct {
	Item  string `json:"item"`
	Frame string `json:"frame"`
	Why   string `json:"why"`
}

func (s *Server) find(ctx context.Context, id string) (*playlists.Sign, error) {
	sign, err := s.src.Sign(ctx, id)
	if err == nil && sign == nil {
		err = &playlists.Error{Code: playlists.NotFound, Field: "signs/id", Value: id,
			Key: "sign-not-found"}
	}
	return sign, err
}

// visible is the sign that the path names, if who asks may see it; else it has
// answered already.
func (s *Server) visible(w http.ResponseWriter, r *http.Request) *playlists.Sign {
	_, sign := s.seen(w, r, r.PathValue("id"))
	return sign
}

// seen is visible, of a sign by its id, with who asks.
func (s *Server) seen(w http.ResponseWriter, r *http.Request, id string) (*playlists.Principal, *playlists.Sign) {
	p := s.who(w, r)
	if p == nil {
		return nil, nil
	}
	sign, err := s.find(r.Context(), id)
	if err == nil && !p.MayRead(playlists.KindSign, sign.Owner) {
		err = notThere("sign", id)
	}
	if err != nil {
		s.fail(w, r, hide(err, playlists.KindSign, id))
		return nil, nil
	}
	return p, sign
}

type signViews struct {
	NowMS int64      `json:"now_ms"`
	Signs []SignView `json:"signs"`
}

func (s *Server) signs(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	views, err := s.views(r.Context(), nil)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	views = slices.DeleteFunc(views, func(v SignView) bool { return !p.MayRead(playlists.KindSign, v.Owner) })
	answer(w, signViews{s.now().UnixMilli(), views})
}

func (s *Server) sign(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	owners, err := s.ownerNames(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := s.view(sign, owners, s.now())
	if v.Unable, err = s.unable(r.Context(), sign); err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, v)
}

// unable is why a sign can show no template of urgent messages.
func (s *Server) unable(ctx context.Context, sign *playlists.Sign) (*playlists.Finding, error) {
	if s.alerts == nil {
		return nil, nil
	}
	return s.alerts.Unable(ctx, sign.Class)
}

func (s *Server) ownerNames(ctx context.Context) (map[string]string, error) {
	owners, err := s.src.Owners(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(owners))
	for _, o := range owners {
		names[o.ID] = o.Name
	}
	return names, nil
}

// views are the views of the signs that wanted takes; nil takes all.
func (s *Server) views(ctx context.Context, wanted func(id string) bool) ([]SignView, error) {
	signs, err := s.src.Signs(ctx)
	if err != nil {
		return nil, err
	}
	owners, err := s.ownerNames(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	out := make([]SignView, 0, len(signs))
	for i := range signs {
		if wanted == nil || wanted(signs[i].ID) {
			out = append(out, s.view(&signs[i], owners, now))
		}
	}
	return out, nil
}

func (s *Server) view(sign *playlists.Sign, owners map[string]string, now time.Time) SignView {
	h := s.src.Heard(sign.ID)
	v := SignView{ID: sign.ID, Name: sign.Name, Owner: sign.Owner, OwnerName: owners[sign.Owner],
		Class: sign.Class.String(),
		W:     sign.Class.W, H: sign.Class.H, Colour: string(sign.Class.Colour), Areas: sign.Areas, Test: sign.Test,
		Pitch: sign.Pitch, Phone: sign.Phone, Tags: sign.Tags, Position: sign.Position,
		TimeZone: cmp.Or(sign.TimeZone, playlists.DefaultZone), Out: sign.OutOfService, Alerts: sign.Alerts,
		Mode: string(playlists.ModeProgram), State: "never", Seq: h.ProgramSeq, Faults: h.Faults, Dropped: h.Dropped,
		Software: h.Software}
	if sign.Picture() {
		v.Mode = string(playlists.ModePicture)
	}
	if !h.At.IsZero() {
		v.HeardMS, v.State = h.At.UnixMilli(), "online"
		switch {
		case !h.Online:
			v.State = "offline"
		case s.wall.quiet(sign.ID, h.At, now):
			v.State = "stale"
		}
		v.Said = &Said{Item: h.Item, Frame: h.Frame, Why: h.Why}
		v.Clock = "untrusted"
		if h.Trusted {
			v.Clock = "trusted"
		}
	}
	if h.Unknown {
		v.State = "unknown"
	}
	if !h.ShotAt.IsZero() {
		v.ShotMS = h.ShotAt.UnixMilli()
	}
	program, problem := s.src.Program(sign.ID)
	v.Problem, v.ProblemVI = problem.EN, problem.VI
	if sign.Alerts == playlists.AlertsWaiting {
		e := &playlists.Error{Code: playlists.Conflict, Field: "signs/" + sign.ID, Key: "sign-waits"}
		v.Problem, v.ProblemVI = e.Error(), e.VI()
	}
	if program == nil {
		return v
	}
	v.Wanted = program.Seq
	if v.State == "never" || v.State == "offline" || v.State == "unknown" ||
		(!sign.Picture() && h.ProgramSeq != program.Seq) {
		return v
	}
	alerts := s.src.Has(sign) // what it refused or was not reached by it cannot show
	shown := at(program, alerts, sign, h, now.UnixMilli())
	v.Showing = showing(&shown, now.UnixMilli())
	v.Showing.Title = s.src.Title(sign.ID, shown.Owner, shown.Item)
	if h.Snapshot != nil && now.Sub(h.ShotAt) < Quiet {
		agrees := s.verdicts.of(sign.ID, verdictKey{h.ShotAt, program.Seq},
			func() bool { return s.agrees(program, alerts, sign, h) })
		v.Agrees = &agrees
	}
	return v
}

// at is timeline.At under the conditions that the sign's status tells of.
func at(p *timeline.Program, alerts []timeline.Alert, sign *playlists.Sign, h Heard, tMS int64) timeline.Shown {
	c := timeline.Conditions{Sign: sign.ID, Areas: sign.Areas, ClockTrusted: sign.Picture() || h.Trusted,
		LastContactMS: tMS}
	return timeline.At(p, alerts, c, tMS)
}

// alertsNow are those that the sign should know now; they are in memory.
func (s *Server) alertsNow(sign *playlists.Sign, now time.Time) []timeline.Alert {
	alerts, err := s.documents.Alerts(context.Background(), sign, now)
	if err != nil {
		s.log.Error("what alerts a sign has is not known", "sign", sign.ID, "err", err)
	}
	return alerts
}

func showing(s *timeline.Shown, now int64) *Showing {
	out := &Showing{AtMS: now, Item: s.Item, Owner: s.Owner, Why: s.Why, Rule: s.Rule, Scroll: s.Scroll, TauMS: s.TauMS,
		Percent: s.Percent, UntilMS: s.UntilMS}
	if s.Frame != nil {
		out.Frame = s.Frame.SHA256
	}
	return out
}

// facePNG is the frame that the sign shows now by its program, or its last
// snapshot where that is not known.
func (s *Server) facePNG(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	v := s.view(sign, nil, s.now())
	if v.Showing == nil || v.Showing.Frame == "" || v.Showing.Scroll != nil {
		s.snapshotPNG(w, r)
		return
	}
	s.serveFrame(w, r, "", v.Showing.Frame, "no-store")
}

func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	sha := r.PathValue("sha")
	of := sign.ID
	for _, a := range s.alertsNow(sign, s.now()) {
		if a.Reaches(sign.ID, sign.Areas) && slices.ContainsFunc(a.Frames,
			func(f timeline.Frame) bool { return f.SHA256 == sha }) {
			of = ""
		}
	}
	s.serveFrame(w, r, of, sha, "private, max-age=31536000, immutable")
}

func noFrame(sha string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: "frame", Value: sha, Key: "frame-not-in-program"}
}

func (s *Server) serveFrame(w http.ResponseWriter, r *http.Request, sign, sha, cache string) {
	data, mime := s.src.Frame(sign, sha)
	if data == nil {
		s.fail(w, r, noFrame(sha))
		return
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", cache)
	_, _ = w.Write(data)
}

func (s *Server) snapshotPNG(w http.ResponseWriter, r *http.Request) {
	sign := s.visible(w, r)
	if sign == nil {
		return
	}
	h := s.src.Heard(sign.ID)
	if h.Snapshot == nil {
		s.fail(w, r, &playlists.Error{Code: playlists.NotFound, Field: "snapshot", Key: "snapshot-missing"})
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(h.Snapshot)
}
