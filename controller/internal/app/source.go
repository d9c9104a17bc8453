package app

import (
	"context"
	"errors"

	"ledcast/controller/internal/api"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// source is the App as the API reads it.
type source struct{ a *App }

func (s source) Signs(ctx context.Context) ([]playlists.Sign, error) {
	return s.a.catalogue.Signs(ctx)
}

func (s source) Sign(ctx context.Context, id string) (*playlists.Sign, error) {
	return s.a.catalogue.Sign(ctx, id)
}

func (s source) Owners(ctx context.Context) ([]playlists.Owner, error) {
	return s.a.catalogue.Owners(ctx)
}

func (s source) Heard(sign string) api.Heard {
	st := s.a.listener.State(sign)
	h := api.Heard{Online: st.Online, Unknown: st.Unknown, At: st.HeardAt, Snapshot: st.Snapshot, ShotAt: st.ShotAt,
		Dropped: st.Dropped, Faults: st.Faults(s.a.now())}
	if x := st.Status; x != nil {
		h.Software, h.Trusted = x.Software, x.Clock == "trusted"
		if x.Program != nil {
			h.ProgramSeq = x.Program.Seq
		}
		if x.Showing != nil {
			h.Why, h.Item, h.Frame = x.Showing.Why, x.Showing.Item, x.Showing.Frame
		}
	}
	return h
}

func (s source) Program(sign string) (*timeline.Program, playlists.Text) {
	problem := s.a.publisher.Problem(sign)
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Program, problem
	}
	return nil, problem
}

func (s source) Title(sign, owner, item string) string {
	if owner == "" { // no program's item
		return s.a.alerts.Title(item)
	}
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Titles[owner+"/"+item]
	}
	return ""
}

func (s source) Frame(sign, sha string) ([]byte, string) {
	f := s.a.publisher.ProgramFrame(sign, sha)
	if f == nil && sign == "" {
		f = s.a.publisher.Frame(sha)
	}
	if f == nil {
		return nil, ""
	}
	return f.Data, f.Type
}

func (s source) Snapshot(sign string) {
	s.a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpSnapshot})
}

func (s source) Ready() error {
	if err := s.a.store.Trouble(); err != nil {
		return err
	}
	if s := s.a.clock.Look(); s.Held() {
		return errors.New("the controller's clock is not certain: " + s.Words().EN)
	}
	if !s.a.files.Load() {
		return errors.New("files are still being written")
	}
	if err := s.a.linked(); err != nil {
		return err
	}
	if !s.a.publisher.Ready() {
		return errors.New("the broker does not hold everything yet")
	}
	return nil
}

// Has are the alerts that a sign has by its own word: of the sets that it says it took, without those that it refused
// or ended. A picture sign says nothing, and has what it is sent.
func (s source) Has(sign *playlists.Sign) []timeline.Alert {
	var out []timeline.Alert
	state := s.a.listener.State(sign.ID)
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		set, _ := s.a.publisher.AlertSet(sign.Class.String(), test)
		if set == nil || sign.Picture() {
			if set != nil {
				out = append(out, set.Alerts...)
			}
			continue
		}
		out = append(out, state.Alerts(set, test)...)
	}
	return out
}
