//go:build !race

// Under the race detector pools forget at random, so there is nothing to hold.

package distributor

import (
	"runtime"
	"testing"
)

// TestAllocationsOfARequest holds what a request over gRPC allocates to a quarter
// of its size, the client's share included.
func TestAllocationsOfARequest(t *testing.T) {
	conn, req := dialWire(t, newDistributor(t, nullPusher{}, false)), ordinaryRequest(t)
	run := func(n int) {
		for range n {
			if err := exportWire(t.Context(), conn, req); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const n = 300
	run(n)
	runtime.ReadMemStats(&after)
	per := (after.TotalAlloc - before.TotalAlloc) / n
	t.Logf("%d bytes in %d allocations for a request of %d bytes, client included", per, (after.Mallocs-before.Mallocs)/n, len(req))
	if per > uint64(len(req))/4 {
		t.Errorf("%d bytes allocated for a request of %d", per, len(req))
	}
}
