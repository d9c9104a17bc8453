package app

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are for whoever watches the installation. They are open to all who
// reach the pages, so they count and name nobody: no sign, no company.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func (a *App) newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ledcast_http_requests_total",
			Help: "Requests answered, by method and class of status."}, []string{"method", "status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ledcast_http_request_seconds",
			Help:    "How long answers took; streams of events are left out.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8)})}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("ledcast_ready", "1 when the broker holds what every sign should have.",
			func() float64 { return truth((source{a}).Ready() == nil) }),
		gauge("ledcast_clock_in_doubt", "1 while the controller doubts its clock and issues nothing new.",
			func() float64 { return truth(a.clock.state().Doubt()) }),
		gauge("ledcast_signs_online", "Signs that are connected, by what they said last.", func() float64 {
			n := 0
			for _, id := range a.listener.Signs() {
				if a.listener.State(id).Online {
					n++
				}
			}
			return float64(n)
		}),
		gauge("ledcast_key_set_ends_seconds", "When the key set ends, Unix seconds; renew it before.",
			func() float64 { return float64(a.keyring.Ends().Unix()) }),
		gauge("ledcast_roots_here", "1 while the root keys lie on this machine.",
			func() float64 { return truth(a.keyring.RootsHere()) }),
		gauge("ledcast_artworks", "Artworks kept in memory.",
			func() float64 { n, _, _ := a.artist.Stats(); return float64(n) }),
		gauge("ledcast_artwork_bytes", "Bytes of their frames.", func() float64 {
			_, n,
				_ := a.artist.Stats()
			return float64(n)
		}),
		gauge("ledcast_artworks_drawn", "Artworks drawn since the start.",
			func() float64 { _, _, n := a.artist.Stats(); return float64(n) }),
		gauge("ledcast_programs", "Programs that signs should have.",
			func() float64 { return float64(a.publisher.Programs()) }),
		gauge("ledcast_plans_failed", "Signs whose plan cannot be made; they keep their last.",
			func() float64 { return float64(a.publisher.Problems()) }),
	)
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// count counts what h answers.
func (m *metrics) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(s, r)
		m.requests.WithLabelValues(methodLabel(r.Method), strconv.Itoa(s.status/100)+"xx").Inc()
		if !strings.HasPrefix(s.Header().Get("Content-Type"), "text/event-stream") {
			m.seconds.Observe(time.Since(began).Seconds())
		}
	})
}

// methodLabel keeps made-up methods from making series without end.
func methodLabel(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete:
		return m
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
