package cap12

import (
	"math"
	"strconv"
	"strings"

	"ledcast/playlists"
)

func place(field, s string) (playlists.Place, error) {
	lat, lon, ok := strings.Cut(s, ",")
	var p playlists.Place
	var err1, err2 error
	p.Lat, err1 = strconv.ParseFloat(lat, 64)
	p.Lon, err2 = strconv.ParseFloat(lon, 64)
	if !ok || err1 != nil || err2 != nil || !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
		return p, invalid(field, s, "cap-position-malformed")
	}
	return p, nil
}

// polygon parses places separated by spaces, of which the last equals the first. It
// rejects a ring that crosses itself, because its inside is ambiguous.
func polygon(s string) ([]playlists.Place, error) {
	const field = "info.area.polygon"
	var ring []playlists.Place
	n := 0
	for _, f := range strings.Fields(s) {
		p, err := place(field, f)
		if err != nil {
			return nil, err
		}
		if n++; n > MaxPoints {
			return nil, tooLarge(field, "cap-ring-too-long", MaxPoints)
		}
		if len(ring) == 0 || ring[len(ring)-1] != p { // ignore repeated points
			ring = append(ring, p)
		}
	}
	if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
		return nil, invalid(field, s, "cap-ring-not-closed", len(ring))
	}
	for i := range ring[1:] {
		if math.Abs(ring[i].Lon-ring[i+1].Lon) > 180 {
			return nil, invalid(field, s, "cap-over-date-line")
		}
	}
	if a, b, ok := crossing(ring); ok {
		return nil, invalid(field, s, "cap-ring-crosses-itself", a+1, b+1)
	}
	return ring, nil
}

// crossing finds two sides of a closed ring that intersect and are not adjacent.
func crossing(ring []playlists.Place) (a, b int, found bool) {
	n := len(ring) - 1
	for i := range n {
		for k := i + 2; k < n; k++ {
			if i == 0 && k == n-1 {
				continue // the first and the last side are adjacent
			}
			if intersect(ring[i], ring[i+1], ring[k], ring[k+1]) {
				return i, k, true
			}
		}
	}
	return 0, 0, false
}

// intersect reports whether the segments ab and cd have a point in common.
func intersect(a, b, c, d playlists.Place) bool {
	turn := func(p, q, r playlists.Place) float64 {
		return (q.Lon-p.Lon)*(r.Lat-p.Lat) - (q.Lat-p.Lat)*(r.Lon-p.Lon)
	}
	on := func(p, q, r playlists.Place) bool {
		return min(p.Lon, q.Lon) <= r.Lon && r.Lon <= max(p.Lon, q.Lon) && min(p.Lat, q.Lat) <= r.Lat &&
			r.Lat <= max(p.Lat, q.Lat)
	}
	d1, d2, d3, d4 := turn(c, d, a), turn(c, d, b), turn(a, b, c), turn(a, b, d)
	if (d1 > 0) != (d2 > 0) && (d3 > 0) != (d4 > 0) && d1 != 0 && d2 != 0 && d3 != 0 && d4 != 0 {
		return true
	}
	return d1 == 0 && on(c, d, a) || d2 == 0 && on(c, d, b) || d3 == 0 && on(a, b, c) || d4 == 0 && on(a, b, d)
}

// circle parses "lat,lon radius" with the radius in kilometres (3.2.4).
func circle(s string) (Circle, error) {
	const field = "info.area.circle"
	f := strings.Fields(s)
	if len(f) != 2 {
		return Circle{}, invalid(field, s, "cap-circle-malformed")
	}
	p, err := place(field, f[0])
	if err != nil {
		return Circle{}, err
	}
	km, err := strconv.ParseFloat(f[1], 64)
	if err != nil || !(km >= 0 && km <= 20_040) {
		return Circle{}, invalid(field, s, "cap-radius-not-number")
	}
	return Circle{p, km}, nil
}

// earthKM is the Earth's mean radius.
const earthKM = 6371.0088

// Contains reports whether a place lies in a polygon or circle of the area or on its
// border. It ignores geocodes.
func (a *Area) Contains(p playlists.Place) bool {
	for _, c := range a.Circles {
		if distanceKM(c.Centre, p) <= c.KM {
			return true
		}
	}
	for _, ring := range a.Polygons {
		if inside(ring, p) {
			return true
		}
	}
	return false
}

// distanceKM returns the great-circle distance.
func distanceKM(a, b playlists.Place) float64 {
	rad := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad, (b.Lon-a.Lon)*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earthKM * math.Asin(min(1, math.Sqrt(h)))
}

// inside counts the crossings of a ray to the east.
func inside(ring []playlists.Place, p playlists.Place) bool {
	in := false
	for i := range ring[1:] {
		a, b := ring[i], ring[i+1]
		if intersect(a, b, p, p) {
			return true
		}
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lon < (b.Lon-a.Lon)*(p.Lat-a.Lat)/(b.Lat-a.Lat)+a.Lon {
			in = !in
		}
	}
	return in
}
