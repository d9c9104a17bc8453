package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// check makes a sign's checks. payload is what the document says where its form
// can be read, also when it is refused; notes are what could not be asked.
func (in *inspection) check() (payload any, notes []string, err error) {
	payload = readPayload(in.doc, in.typ)
	clock := wire.Clock{NowMS: in.now.UnixMilli(), Trusted: true}
	if in.typ == wire.TypPlayed {
		// A sign's own key is pinned at the controller, not in a file here.
		_, err := wire.Split(in.doc, in.typ)
		return payload, []string{"the signature: it is of the sign's own key, which the controller has pinned"}, err
	}
	if in.typ == wire.TypKeys {
		_, err := in.openKeys(in.doc, clock)
		return payload, nil, err
	}
	r := wire.Receiver{Now: clock, Floor: func(string, string, int64) *wire.Floor { return nil }}
	if in.keys != nil {
		if r.Keys, err = in.openKeys(in.keys, clock); err != nil {
			return payload, nil, fmt.Errorf("its key set: %w", err)
		}
	}
	notes = append(notes, "stale-seq: floors lie on the sign's disk")
	if in.conf != nil {
		r.Sign, r.Class = in.conf.Sign, in.conf.Class
	} else {
		notes = append(notes, "wrong-sign and wrong-class: give --config")
		switch p := payload.(type) {
		case *timeline.Program:
			r.Sign, r.Class = p.Sign, p.Class
		case *timeline.AlertSet:
			r.Class = p.Class
		case *wire.SignRequest:
			r.Sign = p.Sign
		}
	}
	switch in.typ {
	case wire.TypProgram:
		_, _, err = wire.OpenProgram(in.doc, r)
	case wire.TypAlerts, wire.TypAlertsTest:
		_, _, err = wire.OpenAlerts(in.doc, in.typ == wire.TypAlertsTest, r)
	case wire.TypRequest:
		_, _, err = wire.OpenRequest(in.doc, r)
	}
	if err != nil && r.Keys == nil && wire.ReasonOf(err) == wire.UnknownKey {
		err = fmt.Errorf("%w; give --keys, or --topic with --config", err)
	}
	return payload, notes, err
}

// openKeys checks a key set against the config's roots.
func (in *inspection) openKeys(doc []byte, clock wire.Clock) (*wire.KeySet, error) {
	if in.conf == nil {
		return nil, errors.New("the roots are not known that a key set is checked against; give --config")
	}
	roots, err := in.conf.Roots()
	if err != nil {
		return nil, err
	}
	set, _, _, err := wire.OpenKeys(doc, roots, nil, "", clock)
	return set, err
}

// readPayload reads a document without checking who signed it: for showing.
func readPayload(doc []byte, typ string) any {
	var v any
	var err error
	switch typ {
	case wire.TypKeys:
		v, err = wire.StoredKeys(doc)
	case wire.TypProgram:
		v, err = wire.StoredProgram(doc)
	case wire.TypAlerts, wire.TypAlertsTest:
		v, err = wire.StoredAlerts(doc, typ == wire.TypAlertsTest)
	case wire.TypPlayed:
		v, err = wire.StoredPlayed(doc)
	case wire.TypRequest:
		h := wire.Claimed(doc, typ)
		return &wire.SignRequest{Header: h}
	}
	if err != nil {
		return nil
	}
	return v
}

// describe writes what a payload says, for people.
func describe(w io.Writer, payload any, now time.Time) {
	header := func(what string, h *timeline.Header) {
		fmt.Fprintf(w, "%s, epoch %d, seq %d\n  issued %s, valid from %s until %s\n", what, h.Epoch, h.Seq,
			clock(h.Iat), clock(h.Nbf), clock(h.Exp))
	}
	switch p := payload.(type) {
	case *wire.KeySet:
		header("key set", &p.Header)
		for _, k := range p.Keys {
			fmt.Fprintf(w, "  key %s may sign %s from %s until %s\n", k.Kid, k.Role, clock(k.Nbf), clock(k.Exp))
		}
		for _, kid := range p.Revoked {
			fmt.Fprintf(w, "  key %s is revoked\n", kid)
		}
	case *timeline.Program:
		header(fmt.Sprintf("program for %s (%s)", p.Sign, p.Class), &p.Header)
		var bytes int64
		for _, f := range p.Frames {
			bytes += f.Len
		}
		fmt.Fprintf(w, "  in %s; %d frames of %d bytes, %d items\n", strings.Join(p.Areas, ", "), len(p.Frames), bytes,
			len(p.Items))
		for i, l := range p.Loops {
			var ids []string
			for _, k := range l.Order {
				ids = append(ids, p.Items[k].ID)
			}
			fmt.Fprintf(w, "  loop %d, %s: %s\n", i, duration(p.LoopLength(int64(i))), strings.Join(ids, " "))
		}
		for _, s := range p.Segments {
			fmt.Fprintf(w, "  from %s until %s loop %d, %s\n", clock(s.From), clock(s.Until), s.Loop, s.Why)
		}
		fmt.Fprintf(w, "  fallback loop %d; loop %d after %s without the broker\n", p.Fallback, p.CommLoss.Loop,
			duration(p.CommLoss.AfterS*1000))
		s := timeline.At(p, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: now.UnixMilli()}, now.UnixMilli())
		fmt.Fprintf(w, "  at %s it shows %s (%s), at %d percent\n", clock(now.Unix()), orDark(s.Item), s.Why, s.Percent)
	case *timeline.AlertSet:
		header("alerts for "+p.Class, &p.Header)
		for i := range p.Alerts {
			a := &p.Alerts[i]
			drill := ""
			if a.Drill {
				drill = ", a drill"
			}
			fmt.Fprintf(w, "  %s, priority %d, from %s until %s, in %s, %d signs by name%s\n", a.ID, a.Priority, clock(a.From),
				clock(a.Until),
				strings.Join(a.Areas, ", "), len(a.Signs), drill)
		}
		for _, e := range p.Ended {
			fmt.Fprintf(w, "  %s was %s at %s\n", e.ID, e.Why, clock(e.At))
		}
	case *wire.SignRequest:
		header("request", &p.Header)
	case *wire.Played:
		fmt.Fprintf(w, "proof of play of %s, chain %s, n %d\n", p.Sign, p.Chain, p.N)
		for _, x := range p.Plays {
			fmt.Fprintf(w, "  %s (%s): %d times, %s\n", orDark(x.Item), x.Why, x.Count, duration(x.MS))
		}
	default:
		fmt.Fprintln(w, "its payload cannot be read")
	}
}

func clock(s int64) string { return time.Unix(s, 0).UTC().Format("2006-01-02 15:04:05Z") }

func duration(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }

func orDark(item string) string {
	if item == "" {
		return "nothing"
	}
	return item
}
