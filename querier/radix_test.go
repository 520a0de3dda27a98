package querier

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clewtrace/clew/storage"
)

func randomCandidates(rng *rand.Rand, n int) []candidate {
	list := make([]candidate, n)
	spread := []uint64{1, 3, 1000, 1 << 40, 1<<64 - 1}[rng.IntN(5)]
	for i := range list {
		list[i].start = 1e18 + rng.Uint64N(spread)
		if rng.IntN(50) == 0 {
			list[i].start = []uint64{0, 1<<64 - 1, 1 << 63}[rng.IntN(3)]
		}
		list[i].id[15], list[i].id[3] = byte(rng.Uint32()), byte(rng.Uint32())
		list[i].ordinal = uint32(i)
	}
	return list
}

// TestNewest compares the ways of choosing and sorting with the plain one.
func TestNewest(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		list := randomCandidates(rng, rng.IntN(300))
		want := slices.Clone(list)
		slices.SortFunc(want, func(a, b candidate) int { return newer(&a, &b) })
		got := sortNewest(list)
		for i := range want {
			if newer(&got[i], &want[i]) != 0 {
				t.Fatalf("place %d of %d: %+v, want %+v", i, len(want), got[i], want[i])
			}
		}
		best := newest{limit: 1 + rng.IntN(320)}
		matches := make([]storage.Match, len(list))
		for i := range list {
			best.offer(list[i])
			matches[i].Start = list[i].start
		}
		top := best.take()
		if len(top) != min(best.limit, len(list)) {
			t.Fatalf("%d of %d, limit %d", len(top), len(list), best.limit)
		}
		for i := range top {
			if newer(&top[i], &want[i]) != 0 {
				t.Fatalf("place %d: %+v, want %+v", i, top[i], want[i])
			}
		}
		if len(matches) < 2 {
			continue
		}
		n := 1 + rng.IntN(len(matches)-1)
		selectNewest(matches, n)
		for _, m := range matches[:n] {
			if m.Start < want[n-1].start {
				t.Fatalf("selected start %d, want at least %d", m.Start, want[n-1].start)
			}
		}
	}
}
