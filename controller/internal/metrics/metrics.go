// Package metrics is what Prometheus reads of a controller. The page is open to all who reach the controller, so it
// counts and names nobody: no sign, no company.
package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/listen"
	"ledcast/playlists"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Sources are what is counted.
type Sources struct {
	Data           string // the data folder
	Ready          func() error
	Linked         func() bool // the controller is connected to its broker
	Deferred       func() int  // writes that wait for the database
	WebhooksFailed func() int64
	Rival          func() error // that another controller is at the broker
	Doubt          func() bool  // the controller doubts its clock
	Now            func() time.Time
	Listener       *listen.Listener
	Alerts         interface{ Recent() []playlists.AlertView }
	Plans          Plans
	Keys           Keys
	Artworks       interface {
		Stats() (n int, bytes int64, drawn int64)
	}
}

// Plans are what signs should play.
type Plans interface {
	Programs() int
	Problems() int
	// Seq is the seq of the program that a sign should play; 0 for none.
	Seq(sign string) int64
}

// Keys are the signing keys.
type Keys interface {
	Ends() time.Time
	RootsHere() bool
}

// Metrics counts requests and reads the rest when it is asked.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// New returns the metrics of a.
func New(a Sources) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(),
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
		gauge("ledcast_broker_connected", "1 while the controller is connected to the broker.",
			func() float64 { return truth(a.Linked()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "ledcast_webhook_failures_total",
			Help: "Webhook messages that were given up or dropped."}, func() float64 { return float64(a.WebhooksFailed()) }),
		gauge("ledcast_deferred_writes", "Writes that wait for the database in the data folder.",
			func() float64 { return float64(a.Deferred()) }),
		gauge("ledcast_second_controller", "1 while another controller publishes at the same broker.",
			func() float64 { return truth(a.Rival() != nil) }),
		gauge("ledcast_ready", "1 when the controller is connected and the broker holds what every sign should have.",
			func() float64 { return truth(a.Ready() == nil) }),
		gauge("ledcast_clock_in_doubt", "1 while the controller doubts its clock and issues nothing new.",
			func() float64 { return truth(a.Doubt()) }),
		gauge("ledcast_signs_online", "Signs that are connected, by what they said last.", func() float64 {
			n := 0
			for _, id := range a.Listener.Signs() {
				if a.Listener.State(id).Online {
					n++
				}
			}
			return float64(n)
		}),
		gauge("ledcast_signs_with_faults", "Signs that are connected and report a fault, or have one here.",
			func() float64 {
				return float64(a.countSigns(func(s *listen.State) bool { return len(s.Faults(a.Now())) > 0 }))
			}),
		gauge("ledcast_signs_behind", "Program signs that are connected and play another program than the last one.",
			func() float64 { return float64(a.countSigns(a.behind)) }),
		&alerts{a},
		gauge("ledcast_database_bytes", "Bytes of the database's files; 0 for a database elsewhere.",
			func() float64 { return float64(datadir.DatabaseBytes(a.Data)) }),
		gauge("ledcast_disk_free_bytes", "Bytes that are free where the data folder is.",
			func() float64 { return float64(datadir.FreeBytes(a.Data)) }),
		gauge("ledcast_key_set_ends_seconds", "When the key set ends, Unix seconds; renew it before.",
			func() float64 { return float64(a.Keys.Ends().Unix()) }),
		gauge("ledcast_roots_here", "1 while the root keys lie on this machine.",
			func() float64 { return truth(a.Keys.RootsHere()) }),
		gauge("ledcast_artworks", "Artworks kept in memory.",
			func() float64 { n, _, _ := a.Artworks.Stats(); return float64(n) }),
		gauge("ledcast_artwork_bytes", "Bytes of their frames.", func() float64 {
			_, n, _ := a.Artworks.Stats()
			return float64(n)
		}),
		gauge("ledcast_artworks_drawn", "Artworks drawn since the start.",
			func() float64 { _, _, n := a.Artworks.Stats(); return float64(n) }),
		gauge("ledcast_programs", "Programs that signs should have.",
			func() float64 { return float64(a.Plans.Programs()) }),
		gauge("ledcast_plans_failed", "Signs whose plan cannot be made; they keep their last.",
			func() float64 { return float64(a.Plans.Problems()) }),
	)
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Handler answers with all metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Count counts what h answers.
func (m *Metrics) Count(h http.Handler) http.Handler {
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
