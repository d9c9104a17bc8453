package plan

import (
	"slices"

	"ledcast/playlists"
)

// list is a playlist with the parsed dates of its items.
type list struct {
	playlist *playlists.Playlist
	first    []playlists.Day // of each item; firstDay where open
	last     []playlists.Day
}

func newList(pl *playlists.Playlist) *list {
	l := &list{playlist: pl, first: make([]playlists.Day, len(pl.Items)), last: make([]playlists.Day, len(pl.Items))}
	for i := range pl.Items {
		h := newHours(playlists.Window{}, pl.Items[i].First, pl.Items[i].Last, nil)
		l.first[i], l.last[i] = h.first, h.last
	}
	return l
}

// field returns the name of the playlist in errors.
func (l *list) field() string { return "playlists/" + l.playlist.Owner + "/" + l.playlist.ID }

// dated is a playlist in one zone, with the times at which its items are valid.
// They change only at midnight.
type dated struct {
	list    *list
	changes []int64 // ascending; part i holds from changes[i-1] until changes[i]
	parts   []items
}

// items are the valid items of a playlist.
type items struct {
	index []int
	key   string // equal for the same items
}

func newDated(l *list, c *calendar) *dated {
	d := &dated{list: l}
	var days []playlists.Day
	for i := range l.first {
		if l.first[i] != firstDay {
			days = append(days, l.first[i])
		}
		if l.last[i] != lastDay {
			days = append(days, l.last[i]+1)
		}
	}
	slices.Sort(days)
	days = slices.Compact(days)
	for i := 0; i <= len(days); i++ {
		at := firstDay
		if i > 0 {
			at = days[i-1]
			d.changes = append(d.changes, c.midnight(at))
		}
		var part items
		key := make([]byte, len(l.first))
		for k := range l.first {
			key[k] = '-'
			if l.first[k] <= at && at <= l.last[k] {
				key[k] = '+'
				part.index = append(part.index, k)
			}
		}
		part.key = string(key)
		d.parts = append(d.parts, part)
	}
	return d
}

// at returns the items that are valid at t, and since when: always for the first
// part.
func (d *dated) at(t int64) (items, int64) {
	i, found := slices.BinarySearch(d.changes, t)
	if found {
		i++
	}
	if i == 0 {
		return d.parts[0], always
	}
	return d.parts[i], d.changes[i-1]
}

// open returns the items that have begun by the day of t and have no last date.
func (d *dated) open(c *calendar, t int64) items {
	today := c.day(t)
	var out items
	key := make([]byte, len(d.list.first))
	for k := range key {
		key[k] = '-'
		if d.list.first[k] <= today && d.list.last[k] == lastDay {
			key[k] = '+'
			out.index = append(out.index, k)
		}
	}
	out.key = string(key)
	return out
}
