package app

import (
	"context"
	"encoding/json"

	"ledcast/assets"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// seed puts the department's default content into a store that lacks it. What is there already was perhaps edited,
// and stays.
func (a *App) seed(ctx context.Context) error {
	for name, text := range map[string][]byte{"assets/areas.yaml": assets.Areas,
		"assets/content.yaml": assets.DefaultContent} {
		m, err := manifest.Parse(name, text)
		if err != nil {
			return err
		}
		if err := a.Seed(ctx, m.Things); err != nil {
			return err
		}
	}
	return nil
}

// Seed puts things that are not there yet, with an entry of the log each. Those that are there, and were perhaps
// edited, stay as they are.
func (a *App) Seed(ctx context.Context, things []playlists.Thing) error {
	s, err := a.catalogue.Snapshot(ctx)
	if err != nil {
		return err
	}
	for _, t := range things {
		key := t.Key()
		if s.Get(key) != nil { // most starts find all of it there
			continue
		}
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = a.store.Audit().Change(ctx, store.Change{Expected: store.Absent, Of: t.Of(),
			By: enrol.Console.Actor(a.now().UnixMilli()),
			Object: store.Object{Kind: string(key.Kind), Owner: key.Owner, ID: key.ID, Data: data,
				UpdatedMS: a.now().UnixMilli()}})
		if err != nil {
			return err
		}
	}
	if a.alerts != nil { // the demo's signs come after alerts were opened
		a.alerts.SignsChanged()
	}
	return nil
}
