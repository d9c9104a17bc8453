package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"ledcast/controller/internal/listen"
	"ledcast/playlists"
)

// countSigns counts the connected signs of which is is true.
func (a *Sources) countSigns(is func(*listen.State) bool) (n int) {
	for _, id := range a.Listener.Signs() {
		if s := a.Listener.State(id); s.Online && is(&s) {
			n++
		}
	}
	return n
}

// behind reports whether a sign plays another program than the one that was issued last.
func (a *Sources) behind(s *listen.State) bool {
	seq := a.Plans.Seq(s.Sign)
	if seq == 0 || s.Status == nil || s.Status.Class == "" {
		return false
	}
	return s.Status.Program == nil || s.Status.Program.Seq != seq
}

// alerts counts alerts that are not over, by state, and the signs that missed one.
type alerts struct{ a Sources }

var (
	alertsByState = prometheus.NewDesc("ledcast_alerts", "Alerts that are not over, by state.", []string{"state"}, nil)
	alertsMissed  = prometheus.NewDesc("ledcast_alert_signs_missed", "Signs that missed a running alert.", nil, nil)
	alertsRefused = prometheus.NewDesc("ledcast_alert_signs_rejected", "Signs that rejected a running alert.", nil, nil)
)

func (m *alerts) Describe(out chan<- *prometheus.Desc) {
	out <- alertsByState
	out <- alertsMissed
	out <- alertsRefused
}

func (m *alerts) Collect(out chan<- prometheus.Metric) {
	count := map[playlists.AlertState]int{playlists.AlertDraft: 0, playlists.AlertPending: 0, playlists.AlertRunning: 0}
	missed, rejected := 0, 0
	for _, v := range m.a.Alerts.Recent() {
		if v.State == playlists.AlertEnded {
			continue
		}
		count[v.State]++
		if v.State == playlists.AlertRunning {
			missed, rejected = missed+len(v.Missed), rejected+v.Rejected
		}
	}
	for state, n := range count {
		out <- prometheus.MustNewConstMetric(alertsByState, prometheus.GaugeValue, float64(n), string(state))
	}
	out <- prometheus.MustNewConstMetric(alertsMissed, prometheus.GaugeValue, float64(missed))
	out <- prometheus.MustNewConstMetric(alertsRefused, prometheus.GaugeValue, float64(rejected))
}
