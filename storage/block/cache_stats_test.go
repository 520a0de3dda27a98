package block

import (
	"context"
	"testing"
)

func TestCacheStats(t *testing.T) {
	cache := newTestCache(t, 64<<20)
	if st := cache.Stats(); st.Bytes != 0 || st.MaxBytes != 64<<20 || len(st.Parts) != int(numParts) {
		t.Errorf("empty: %+v", st)
	}
	f := newFixture(t, randomSet(t, 41, 200), 1<<20, 50, 0.05)
	p := f.parts(t, cache)[0]
	var reads [2]CacheStats
	for i := range reads {
		if _, found, err := p.Fragment(context.Background(), nil, f.index.Traces.IDs[0]); err != nil || !found {
			t.Fatal(found, err)
		}
		cache.Wait()
		reads[i] = cache.Stats()
	}
	var hits, misses [2]uint64
	for i, st := range reads {
		for _, part := range st.Parts {
			hits[i] += part.Hits
			misses[i] += part.Misses
		}
	}
	if reads[0].Bytes == 0 || misses[0] == 0 || hits[1] <= hits[0] || misses[1] != misses[0] {
		t.Errorf("a cold and a warm look-up: %+v", reads)
	}
}
