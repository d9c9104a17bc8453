package app

import (
	"context"
	"encoding/json"
	"errors"

	"ledcast/assets"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// seed puts the department's default content into a store that lacks it. What
// is there already was perhaps edited, and stays.
func (a *App) seed(ctx context.Context) error {
	for name, text := range map[string][]byte{"assets/areas.yaml": assets.Areas, "assets/content.yaml": assets.DefaultContent} {
		m, err := manifest.Parse(name, text)
		if err != nil {
			return err
		}
		if err := a.apply(ctx, m, store.Absent); err != nil {
			return err
		}
	}
	return nil
}

// apply writes a manifest's objects, each under the expected version. With
// store.Absent what exists is left alone.
func (a *App) apply(ctx context.Context, m *manifest.Manifest, expected int64) error {
	one := func(kind, owner, id string, v any) error {
		if expected == store.Absent { // most starts find all of it there
			if _, err := a.store.Objects().Get(ctx, kind, owner, id); !missing(err) {
				return err
			}
		}
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		of := owner
		switch v := v.(type) {
		case *playlists.Sign:
			of = v.Owner
		case *playlists.Owner:
			of = v.ID
		case *playlists.Area, *playlists.Campaign:
			of = playlists.Public
		}
		_, err = a.store.Audit().Change(ctx, store.Change{Expected: expected, Of: of, By: actor(console, a.now()),
			Object: store.Object{Kind: kind, Owner: owner, ID: id, Data: data, UpdatedMS: a.now().UnixMilli()}})
		var e *playlists.Error
		if expected == store.Absent && errors.As(err, &e) && e.Code == playlists.Conflict {
			return nil
		}
		return err
	}
	var err error
	for i := range m.Owners {
		err = errors.Join(err, one(kindOwner, "", m.Owners[i].ID, &m.Owners[i]))
	}
	for i := range m.Areas {
		err = errors.Join(err, one(kindArea, "", m.Areas[i].Code, &m.Areas[i]))
	}
	for i := range m.Messages {
		err = errors.Join(err, one(kindMessage, m.Messages[i].Owner, m.Messages[i].ID, &m.Messages[i]))
	}
	for i := range m.Playlists {
		err = errors.Join(err, one(kindPlaylist, m.Playlists[i].Owner, m.Playlists[i].ID, &m.Playlists[i]))
	}
	for i := range m.Schedules {
		err = errors.Join(err, one(kindSchedule, m.Schedules[i].Owner, m.Schedules[i].ID, &m.Schedules[i]))
	}
	for i := range m.Agreements {
		err = errors.Join(err, one(kindAgreement, m.Agreements[i].Owner, m.Agreements[i].ID, &m.Agreements[i]))
	}
	for i := range m.Campaigns {
		err = errors.Join(err, one(kindCampaign, "", m.Campaigns[i].ID, &m.Campaigns[i]))
	}
	for i := range m.Signs {
		err = errors.Join(err, one(kindSign, "", m.Signs[i].ID, &m.Signs[i]))
	}
	if a.alerts != nil { // the demo's signs come after alerts were opened
		a.alerts.SignsChanged()
	}
	return err
}
