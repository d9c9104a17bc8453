// Package simulate measures alerts on many connected signs beside the bare
// broker, with a whole controller and crowds of signs in processes of their own.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"ledcast/playlists"
)

// Options say what Run measures.
type Options struct {
	Signs, Classes, Rounds, Children int
	// "embedded", "mosquitto", or an outside one's address, which lets all of them in
	Broker   string
	Storm    bool
	AtOnce   bool      // signs check and ack while others of their process still read
	Child    []string  // the command line of a crowd, which sign/crowd's Serve answers
	Progress io.Writer // what people want to see meanwhile
	Software string
}

// Spread are nearest-rank percentiles in milliseconds.
type Spread struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// AlertRound is one alert through the controller.
type AlertRound struct {
	Receipt  Spread  `json:"receipt"`        // approval sent → set received by the sign
	Showing  Spread  `json:"showing"`        // approval → ack counted, by the controller; no max
	LastMS   float64 `json:"last_ms"`        // approval sent → the API says that all show it
	ShowedBy int     `json:"showing_signs"`  // by the API
	Received int     `json:"received_signs"` // by the signs themselves
	Ended    int     `json:"ended_signs"`
	Messages int     `json:"messages"` // delivered to all signs: frames, then the set
	Bytes    int64   `json:"bytes"`    // payloads, to all signs
	CPU      float64 `json:"cpu_s"`    // of the controller's process, until all show it
	Resyncs  int     `json:"resyncs"`  // signs that were asked to subscribe again
}

// BareRound is the same bytes from a plain client.
type BareRound struct {
	Receipt  Spread `json:"receipt"` // first publish → last message received
	Received int    `json:"received_signs"`
	Messages int    `json:"messages"`
	Bytes    int64  `json:"bytes"`
}

// StormRound is an alert that is approved while every connection is down.
type StormRound struct {
	AlertRound
	Connects int     `json:"connects"`
	BackMS   float64 `json:"back_ms"` // until all have subscribed again
}

// Report is what was measured. Ratios and medians are over the rounds.
type Report struct {
	Signs    int            `json:"signs"`
	Classes  []string       `json:"classes"`
	Children int            `json:"children"`
	Broker   string         `json:"broker"`
	Notes    []string       `json:"notes"`
	ReadyS   float64        `json:"ready_s"`   // planning, signing and publishing every program
	ConnectS float64        `json:"connect_s"` // until all signs were subscribed and had accepted theirs
	Alerts   []AlertRound   `json:"alerts"`
	Bare     []BareRound    `json:"bare"`
	Alert    Spread         `json:"alert_median"`
	BareMed  Spread         `json:"bare_median"`
	Showing  Spread         `json:"showing_median"`
	RatioP50 float64        `json:"ratio_p50"`
	RatioP99 float64        `json:"ratio_p99"`
	Storm    *StormRound    `json:"storm,omitempty"`
	Forged   int            `json:"forged_refused"` // signs that refused a set with a wrong signature
	Rejected map[string]int `json:"rejected"`       // documents that signs refused, by reason; forged ones too
	Resyncs  int            `json:"resyncs"`
	CPU      float64        `json:"cpu_s"`         // of the controller's process in all
	PeakRSS  int64          `json:"peak_rss"`      // bytes; of the controller's process
	Dropped  int            `json:"broker_drops"`  // reports of the embedded broker that it dropped something
	Lost     int            `json:"lost"`          // signs that did not show an alert in time, over all rounds
	BareLost int            `json:"bare_lost"`     // messages of the bare rounds that no one sends again
	Targets  []string       `json:"targets"`       // what was aimed at, and whether it was reached
	PaceS    float64        `json:"round_every_s"` // a sign may say 20 messages in 10 s
}

// notes are what a reader of the numbers has to know.
var notes = []string{
	"every sign checks signatures of keys, programs, alert sets and requests " +
		"and digests of alert frames itself; floors are in memory",
	"signs have no face and no disk: frames of programs are taken to be cached, " +
		"an alert shows once its frames and its set are there",
	"the signs' own checking and acks use the same processors as controller and broker",
}

// Run measures alerts on many connected signs beside the bare broker. Of a
// run that lost something it returns both the report and an error.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	r, err := w.measure(ctx)
	if err = errors.Join(err, w.stop()); err != nil {
		return nil, err
	}
	if r.Lost > 0 {
		return r, &playlists.Error{Code: playlists.Conflict, Field: "signs", Value: fmt.Sprint(r.Lost),
			Key: "alerts-missed"}
	}
	return r, nil
}

// mostConnections is how many connections one process of signs holds.
const mostConnections = 5000

func (o *Options) check() error {
	bad := func(flag string, value any, key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: playlists.Invalid, Field: flag, Value: fmt.Sprint(value), Key: key, Args: args}
	}
	switch {
	case o.Signs < 1 || o.Signs > 100_000:
		return bad("--signs", o.Signs, "signs-out-of-range")
	case o.Classes < 1 || o.Classes > len(allClasses):
		return bad("--classes", o.Classes, "classes-out-of-range", len(allClasses))
	case o.Rounds < 1 || o.Rounds > 1000:
		return bad("--rounds", o.Rounds, "rounds-out-of-range")
	case o.Children < 1 || o.Children > 64:
		return bad("--children", o.Children, "children-out-of-range")
	case o.Storm && o.Broker != "embedded" && o.Broker != "mosquitto":
		return bad("--storm", o.Broker, "storm-needs-own-broker")
	}
	o.Classes = min(o.Classes, o.Signs)
	o.Children = min(max(o.Children, (o.Signs+mostConnections-1)/mostConnections), o.Signs)
	const others = 200 // database, pages, pipes
	if most := openFiles(); most > 0 && o.Signs+others > most {
		return bad("--signs", o.Signs, "file-limit-too-low", most, most-others)
	}
	return nil
}

// spread of times since t0; zeros, which never came, are left out.
func spread(at []int64, t0 int64) (s Spread, n int) {
	var took []int64
	for _, t := range at {
		if t != 0 {
			took = append(took, t-t0)
		}
	}
	if len(took) == 0 {
		return s, 0
	}
	slices.Sort(took)
	rank := func(p float64) float64 { return float64(took[int(math.Ceil(p*float64(len(took))))-1]) / 1e6 }
	return Spread{rank(0.5), rank(0.95), rank(0.99), rank(1)}, len(took)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	m := len(all) / 2
	if len(all)%2 == 1 {
		return all[m]
	}
	return (all[m-1] + all[m]) / 2
}

func medians(all []Spread) Spread {
	of := func(f func(Spread) float64) float64 {
		var x []float64
		for _, s := range all {
			x = append(x, f(s))
		}
		return median(x)
	}
	return Spread{of(func(s Spread) float64 { return s.P50 }), of(func(s Spread) float64 { return s.P95 }),
		of(func(s Spread) float64 { return s.P99 }), of(func(s Spread) float64 { return s.Max })}
}

// conclude computes what follows from the rounds.
func (r *Report) conclude() {
	var a, b, s []Spread
	var p50, p99 []float64
	for i := range r.Alerts {
		a, s = append(a, r.Alerts[i].Receipt), append(s, r.Alerts[i].Showing)
		r.Lost += r.Signs - r.Alerts[i].ShowedBy
		if i < len(r.Bare) && r.Bare[i].Receipt.P50 > 0 {
			b = append(b, r.Bare[i].Receipt)
			r.BareLost += r.Signs - r.Bare[i].Received
			p50 = append(p50, r.Alerts[i].Receipt.P50/r.Bare[i].Receipt.P50)
			p99 = append(p99, r.Alerts[i].Receipt.P99/r.Bare[i].Receipt.P99)
		}
	}
	r.Alert, r.BareMed, r.Showing = medians(a), medians(b), medians(s)
	r.RatioP50, r.RatioP99 = median(p50), median(p99)
	said := func(ok bool, format string, args ...any) {
		word := "not reached: "
		if ok {
			word = "reached: "
		}
		r.Targets = append(r.Targets, word+fmt.Sprintf(format, args...))
	}
	said(r.RatioP50 <= 1.25, "p50 to receipt at most 1.25 times the bare broker's; it is %.2f", r.RatioP50)
	said(r.RatioP99 <= 1.25, "p99 to receipt at most 1.25 times the bare broker's; it is %.2f", r.RatioP99)
	said(r.Showing.P99 <= 5000, "p99 to the counted ack showing at most 5 s; it is %.2f s", r.Showing.P99/1000)
	if x := r.Storm; x != nil {
		r.Lost += r.Signs - x.ShowedBy
		said(x.ShowedBy == r.Signs && x.Receipt.P99 <= 45_000,
			"after a storm all show it, p99 to receipt under 45 s; %d of %d, %.1f s", x.ShowedBy, r.Signs, x.Receipt.P99/1000)
	}
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
