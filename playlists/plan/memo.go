package plan

// memo caches a value or an error for each key.
type memo[K comparable, V any] map[K]result[V]

type result[V any] struct {
	val V
	err error
}

// get returns the cached result for k, and calls create for a new key.
func (m memo[K, V]) get(k K, create func() (V, error)) (V, error) {
	if r, ok := m[k]; ok {
		return r.val, r.err
	}
	v, err := create()
	m[k] = result[V]{v, err}
	return v, err
}
