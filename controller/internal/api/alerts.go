package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"ledcast/playlists"
)

// Alerts are the department's urgent messages. Who may do what by their role is
// asked here; that it takes another person, and where officers act, there.
type Alerts interface {
	AlertLife
	AlertLooks
	AlertTemplates
}

// AlertLife is what becomes of an alert.
type AlertLife interface {
	Create(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder) (*playlists.AlertView, error)
	Approve(ctx context.Context, who *playlists.Principal, id string,
		read *playlists.AlertApproval) (*playlists.AlertView, error)
	Cancel(ctx context.Context, who *playlists.Principal, id string, correction bool) (*playlists.AlertView, error)
	Refuse(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)
	Resume(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)
	// Unable is why a class can show no template in any form; nil if it can.
	Unable(ctx context.Context, c playlists.Class) (*playlists.Finding, error)
	Extend(ctx context.Context, who *playlists.Principal, id string,
		x *playlists.AlertExtension) (*playlists.AlertView, error)
	BreakGlass(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)
	Get(ctx context.Context, id string) (*playlists.AlertView, error)
	List(ctx context.Context) ([]playlists.AlertView, error)
	// Recent are those that events tell of, from memory.
	Recent() []playlists.AlertView
}

// AlertLooks is what people see of an alert beside its counts, and the drill.
type AlertLooks interface {
	Preview(ctx context.Context, id string) (*playlists.AlertPreview, error)
	Frame(ctx context.Context, id, sha string) (data []byte, mime string, err error)
	Report(ctx context.Context, id string) (*playlists.AlertReport, error)
	Drill() playlists.DrillPlan
	SetDrill(ctx context.Context, who *playlists.Principal, d playlists.DrillPlan) error
}

// AlertTemplates are words agreed before the day they are needed.
type AlertTemplates interface {
	Templates() []playlists.AlertTemplate
	Template(id string) (*playlists.AlertTemplate, error)
	PutTemplate(ctx context.Context, who *playlists.Principal, t *playlists.AlertTemplate) error
	ApproveTemplate(ctx context.Context, who *playlists.Principal, id, digest string) (*playlists.AlertTemplate, error)
	DeleteTemplate(ctx context.Context, who *playlists.Principal, id string) error
}

// Webhooks are addresses that are told of alerts.
type Webhooks interface {
	Webhooks() []playlists.Webhook
	PutWebhook(ctx context.Context, who *playlists.Principal, w *playlists.Webhook) error
	DeleteWebhook(ctx context.Context, who *playlists.Principal, id string) error
}

type cancelling struct {
	Correction bool `json:"correction,omitempty"` // show the one that was approved with it
}

func (s *Server) alertRoutes() []Route {
	const alerts, templates, hooks = "/api/v1/alerts", "/api/v1/templates", "/api/v1/webhooks"
	view := playlists.AlertView{}
	return []Route{
		{Method: "GET", Path: alerts, Summary: "List alerts with how far they came, the newest first (department)",
			Handler: s.alertList, Out: list[playlists.AlertView]{}},
		{Method: "POST", Path: alerts, Summary: "Make an alert; it waits for another person", Handler: s.alertCreate,
			In: playlists.AlertOrder{}, Out: view},
		{Method: "GET", Path: alerts + "/{id}", Summary: "An alert with how far it came on each sign", Handler: s.alertGet,
			Out: view},
		{Method: "GET", Path: alerts + "/{id}/preview",
			Summary: "The signs that it would reach now, and how it looks on each class", Handler: s.alertPreview,
			Out: playlists.AlertPreview{}},
		{Method: "GET", Path: alerts + "/{id}/frames/{sha}", Summary: "A frame of an alert", Handler: s.alertFrame,
			Type: "image/*"},
		{Method: "GET", Path: alerts + "/{id}/report",
			Summary: "After the end: from when to when each sign showed it, and what gave way", Handler: s.alertReport,
			Out: playlists.AlertReport{}},
		{Method: "POST", Path: alerts + "/{id}/approve",
			Summary: "Let an alert run: another person, who types the number of signs of the preview", Handler: s.alertApprove,
			In: playlists.AlertApproval{}, Out: view},
		{Method: "POST", Path: alerts + "/{id}/cancel", Summary: "End an alert at once: one person, one step",
			Handler: s.alertCancel, In: cancelling{}, Out: view},
		{Method: "POST", Path: alerts + "/{id}/resume", Summary: "Take a cancel back within 15 minutes, under a new id",
			Handler: s.alertStep(mayApprove, func(a Alerts) step { return a.Resume }), Out: view},
		{Method: "POST", Path: alerts + "/{id}/refuse", Summary: "Refuse an alert that waits",
			Handler: s.alertStep(mayApprove, func(a Alerts) step { return a.Refuse }), Out: view},
		{Method: "POST", Path: alerts + "/{id}/break-glass",
			Summary: "Let an alert run on one person's word: an approved template, one area, a quarter of an hour",
			Handler: s.alertStep(mayWrite, func(a Alerts) step { return a.BreakGlass }), Out: view},
		{Method: "POST", Path: alerts + "/{id}/extend",
			Summary: "Let a break-glass alert run longer: another person than started it", Handler: s.alertExtend,
			In: playlists.AlertExtension{}, Out: view},
		{Method: "GET", Path: "/api/v1/drill", Summary: "When the weekly drill is made", Handler: s.drill,
			Out: playlists.DrillPlan{}},
		{Method: "PUT", Path: "/api/v1/drill", Summary: "Change when the weekly drill is made, or switch it off",
			Handler: s.drillPut, In: playlists.DrillPlan{}, Out: playlists.DrillPlan{}},

		{Method: "GET", Path: templates, Summary: "List alert templates (department)", Handler: s.templateList,
			Out: list[playlists.AlertTemplate]{}},
		{Method: "GET", Path: templates + "/{id}", Summary: "Read an alert template", Handler: s.templateGet,
			Out: playlists.AlertTemplate{}},
		{Method: "PUT", Path: templates + "/{id}", Summary: "Create or replace an alert template; its approval ends",
			Handler: s.templatePut, In: playlists.AlertTemplate{}, Out: playlists.AlertTemplate{}},
		{Method: "DELETE", Path: templates + "/{id}", Summary: "Delete an alert template", Handler: s.templateRemove},
		{Method: "POST", Path: templates + "/{id}/approve",
			Summary: "Let one person use a template alone: another person than wrote it", Handler: s.templateApprove,
			In: Read{}, Out: playlists.AlertTemplate{}},

		{Method: "GET", Path: hooks, Summary: "List webhooks, without their secrets (department's administrators)",
			Handler: s.webhookList, Out: list[playlists.Webhook]{}},
		{Method: "PUT", Path: hooks + "/{id}",
			Summary: "Create or replace a webhook; the answer holds a secret that was made, once", Handler: s.webhookPut,
			In: playlists.Webhook{}, Out: playlists.Webhook{}},
		{Method: "DELETE", Path: hooks + "/{id}", Summary: "Delete a webhook", Handler: s.webhookRemove},
	}
}

// Who may do what with alerts, templates and webhooks.
func mayRead(*playlists.Principal) bool    { return true }
func mayWrite(p *playlists.Principal) bool { return p.MayWrite(playlists.KindAlert, playlists.Public) }
func mayApprove(p *playlists.Principal) bool {
	return p.MayApprove()
}
func mayCancel(p *playlists.Principal) bool { return p.MayCancel() }
func isAdmin(p *playlists.Principal) bool   { return p.Role == playlists.RoleAdmin }
func everywhere(p *playlists.Principal) bool {
	return !p.Officer() // what holds for all areas is not for an officer of some
}
func adminEverywhere(p *playlists.Principal) bool   { return isAdmin(p) && everywhere(p) }
func approveEverywhere(p *playlists.Principal) bool { return mayApprove(p) && everywhere(p) }

// officer is who asks, if it is somebody of the department who may; else it has
// answered already. For everybody else there are no alerts at all.
func (s *Server) officer(w http.ResponseWriter, r *http.Request, what string,
	may func(*playlists.Principal) bool) *playlists.Principal {
	p := s.who(w, r)
	if p == nil {
		return nil
	}
	var err error
	switch {
	case !p.MayRead(playlists.KindAlert, playlists.Public):
		err = notThere(what, r.PathValue("id"))
	case !may(p) && p.Officer():
		err = &playlists.Error{Code: playlists.Denied, Field: what, Value: r.PathValue("id"),
			Key: "role-or-area-not-allowed", Args: []any{playlists.Word(p.Role)}}
	case !may(p):
		err = denied(p, playlists.Kind(what), r.PathValue("id"))
	}
	if err != nil {
		s.fail(w, r, err)
		return nil
	}
	return p
}

// reply answers with v, or with err.
func reply[T any](s *Server, w http.ResponseWriter, r *http.Request, v T, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, v)
}

func (s *Server) alertList(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "alert", mayRead) == nil {
		return
	}
	all, err := s.alerts.List(r.Context())
	reply(s, w, r, list[playlists.AlertView]{all}, err)
}

func (s *Server) alertCreate(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "alert", mayWrite)
	if p == nil {
		return
	}
	var o playlists.AlertOrder
	err := s.read(w, r, &o, "alerts")
	var v *playlists.AlertView
	if err == nil {
		v, err = s.alerts.Create(r.Context(), p, &o)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/api/v1/alerts/"+v.ID)
	answerStatus(w, http.StatusCreated, v)
}

func (s *Server) alertGet(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "alert", mayRead) == nil {
		return
	}
	v, err := s.alerts.Get(r.Context(), r.PathValue("id"))
	reply(s, w, r, v, err)
}

func (s *Server) alertPreview(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "alert", mayRead) == nil {
		return
	}
	v, err := s.alerts.Preview(r.Context(), r.PathValue("id"))
	reply(s, w, r, v, err)
}

func (s *Server) alertReport(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "alert", mayRead) == nil {
		return
	}
	v, err := s.alerts.Report(r.Context(), r.PathValue("id"))
	reply(s, w, r, v, err)
}

func (s *Server) alertFrame(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "alert", mayRead) == nil {
		return
	}
	data, mime, err := s.alerts.Frame(r.Context(), r.PathValue("id"), r.PathValue("sha"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(data)
}

func (s *Server) alertApprove(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "alert", mayApprove)
	if p == nil {
		return
	}
	var a playlists.AlertApproval
	if err := s.read(w, r, &a, "approve"); err != nil {
		s.fail(w, r, err)
		return
	}
	v, err := s.alerts.Approve(r.Context(), p, r.PathValue("id"), &a)
	reply(s, w, r, v, err)
}

func (s *Server) alertExtend(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "alert", mayApprove)
	if p == nil {
		return
	}
	var x playlists.AlertExtension
	if err := s.read(w, r, &x, "extend"); err != nil {
		s.fail(w, r, err)
		return
	}
	v, err := s.alerts.Extend(r.Context(), p, r.PathValue("id"), &x)
	reply(s, w, r, v, err)
}

func (s *Server) alertCancel(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "alert", mayCancel)
	if p == nil {
		return
	}
	var c cancelling
	if r.ContentLength != 0 { // nothing to say is said by nothing
		if err := s.read(w, r, &c, "cancel"); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	v, err := s.alerts.Cancel(r.Context(), p, r.PathValue("id"), c.Correction)
	if err == nil && v.Unsaved {
		answerStatus(w, http.StatusAccepted, v)
		return
	}
	reply(s, w, r, v, err)
}

// alertStep answers a step of an alert's life that takes nothing but its id.
func (s *Server) alertStep(may func(*playlists.Principal) bool, do func(Alerts) step) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p := s.officer(w, r, "alert", may); p != nil {
			v, err := do(s.alerts)(r.Context(), p, r.PathValue("id"))
			reply(s, w, r, v, err)
		}
	}
}

type step func(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error)

func (s *Server) drill(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "drill", mayRead) != nil {
		answer(w, s.alerts.Drill())
	}
}

func (s *Server) drillPut(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "drill", adminEverywhere)
	if p == nil {
		return
	}
	var d playlists.DrillPlan
	err := s.read(w, r, &d, "drill")
	if err == nil {
		err = s.alerts.SetDrill(r.Context(), p, d)
	}
	reply(s, w, r, d, err)
}

func (s *Server) templateList(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "template", mayRead) != nil {
		answer(w, list[playlists.AlertTemplate]{s.alerts.Templates()})
	}
}

func (s *Server) templateGet(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "template", mayRead) == nil {
		return
	}
	t, err := s.alerts.Template(r.PathValue("id"))
	reply(s, w, r, t, err)
}

func (s *Server) templatePut(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "template", mayWrite)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	var t playlists.AlertTemplate
	err := s.read(w, r, &t, "templates/"+id)
	if err == nil {
		err = completeID(&t.ID, id, "templates")
	}
	if err == nil {
		err = s.alerts.PutTemplate(r.Context(), p, &t)
	}
	reply(s, w, r, t, err)
}

func (s *Server) templateRemove(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "template", mayWrite)
	if p == nil {
		return
	}
	if err := s.alerts.DeleteTemplate(r.Context(), p, r.PathValue("id")); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) templateApprove(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "template", mayApprove)
	if p == nil {
		return
	}
	digest, err := s.digestRead(w, r)
	var t *playlists.AlertTemplate
	if err == nil {
		t, err = s.alerts.ApproveTemplate(r.Context(), p, r.PathValue("id"), digest)
	}
	reply(s, w, r, t, err)
}

func (s *Server) webhookList(w http.ResponseWriter, r *http.Request) {
	if s.officer(w, r, "webhook", adminEverywhere) != nil {
		answer(w, list[playlists.Webhook]{s.webhooks.Webhooks()})
	}
}

func (s *Server) webhookPut(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "webhook", adminEverywhere)
	if p == nil {
		return
	}
	id := r.PathValue("id")
	var h playlists.Webhook
	err := s.read(w, r, &h, "webhooks/"+id)
	if err == nil {
		err = completeID(&h.ID, id, "webhooks")
	}
	if err == nil {
		err = s.webhooks.PutWebhook(r.Context(), p, &h)
	}
	reply(s, w, r, h, err)
}

func (s *Server) webhookRemove(w http.ResponseWriter, r *http.Request) {
	p := s.officer(w, r, "webhook", adminEverywhere)
	if p == nil {
		return
	}
	if err := s.webhooks.DeleteWebhook(r.Context(), p, r.PathValue("id")); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// alertEvents are the events of alerts that one who listens was not told yet;
// told is kept by "alert/" and the id. A company is told nothing.
func alertEvents(who *playlists.Principal, views []playlists.AlertView, nowMS int64,
	told map[string]string) (events [][]byte, note func()) {
	if !who.MayRead(playlists.KindAlert, playlists.Public) {
		return nil, func() {}
	}
	fresh := map[string]string{}
	for i := range views {
		text, err := json.Marshal(views[i])
		key := "alert/" + views[i].ID
		if err != nil || told[key] == string(text) {
			continue
		}
		data := fmt.Appendf(nil, `{"now_ms":%d,%s`, nowMS, text[1:]) // the alert as GET answers it, and when
		if views[i].BreakGlass && told[key+"/glass"] == "" {         // all of the department, at once
			events = append(events, fmt.Appendf(nil, "event: break-glass\ndata: %s\n\n", data))
			fresh[key+"/glass"] = "told"
		}
		events = append(events, fmt.Appendf(nil, "event: alert\ndata: %s\n\n", data))
		fresh[key] = string(text)
	}
	return events, func() {
		for k, v := range fresh {
			told[k] = v
		}
	}
}
