package block

import (
	"github.com/dgraph-io/ristretto/v2"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// CacheStats is what a Cache holds and how it was used since it was made.
type CacheStats struct {
	Bytes    int64            `json:"bytes"`
	MaxBytes int64            `json:"max_bytes"`
	Parts    []CachePartStats `json:"parts"`
}

// CachePartStats counts the look-ups of one kind of part.
type CachePartStats struct {
	Part   string `json:"part"`
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
}

// Stats returns the present figures, of every kind of part.
func (c *Cache) Stats() CacheStats {
	st := CacheStats{Bytes: c.store.MaxCost() - c.store.RemainingCost(), MaxBytes: c.store.MaxCost()}
	for p := range numParts {
		st.Parts = append(st.Parts, CachePartStats{p.String(), count(c.metrics.hits[p]), count(c.metrics.misses[p])})
	}
	return st
}

// count reads a counter.
func count(c prometheus.Counter) uint64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return 0
	}
	return uint64(m.GetCounter().GetValue())
}

type cacheMetrics struct {
	hits, misses [numParts]prometheus.Counter
}

func newCacheMetrics(reg prometheus.Registerer, store *ristretto.Cache[uint64, *cacheEntry]) *cacheMetrics {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "clew_storage_cache_requests_total",
		Help: "Look-ups of decoded parts of blocks, by part and result (hit, miss).",
	}, []string{"part", "result"})
	used := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "clew_storage_cache_bytes",
		Help: "Bytes of decoded parts of blocks that are kept.",
	}, func() float64 { return float64(store.MaxCost() - store.RemainingCost()) })
	if reg != nil {
		reg.MustRegister(requests, used)
	}
	m := &cacheMetrics{}
	for p := range numParts {
		m.hits[p] = requests.WithLabelValues(p.String(), "hit")
		m.misses[p] = requests.WithLabelValues(p.String(), "miss")
	}
	return m
}
