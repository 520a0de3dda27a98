package integration

import (
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace/tracetest"
)

// roundTrip sends random OTLP through distributor, log, live columns and blocks,
// with restarts between, and compares what comes out at each stage with what
// went in.
func roundTrip(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	gen := tracetest.New(rng, tracetest.Config{Traces: 1 + rng.IntN(6), Now: uint64(time.Now().UnixNano())})
	mem := fsys.NewMemory()
	in := ingestertest.Open(t, mem, "data", ingester.DefaultConfig())
	dist, err := distributor.New(distributor.DefaultConfig(), in, in.Identity(), distributor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[[32]byte]int{}
	push := func() {
		req := gen.Request()
		if err := tracetest.Identities(want, req); err != nil {
			t.Fatal(err)
		}
		out, err := dist.Push(t.Context(), tenant.Single, req)
		if err != nil || out.Rejected != nil {
			t.Fatalf("seed %d: push: %+v, %v", seed, out, err)
		}
	}
	check := func(where string) {
		t.Helper()
		q := querier.New(in, in.Blocks, querier.Options{})
		got := map[[32]byte]int{}
		for _, id := range gen.TraceIDs() {
			tr, c, err := q.Trace(t.Context(), tenant.Single, id)
			if err != nil || !c.Complete() {
				t.Fatalf("seed %d: %s: trace %s: %+v, %v", seed, where, id, c, err)
			}
			if tr == nil {
				continue
			}
			b := tr.Wire()
			if err := tracetest.Identities(got, b); err != nil {
				t.Fatalf("seed %d: %s: trace %s: %v", seed, where, id, err)
			}
			if _, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b); err != nil {
				t.Fatalf("seed %d: %s: trace %s: a client cannot read it: %v", seed, where, id, err)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %s: %d different spans of %d", seed, where, len(got), len(want))
		}
		for id, n := range got {
			if n != 1 || want[id] == 0 {
				t.Fatalf("seed %d: %s: a span that was pushed %d times comes %d times", seed, where, want[id], n)
			}
		}
	}
	restart := func() {
		in.Stop()
		in = ingestertest.Open(t, mem, "data", ingester.DefaultConfig())
		if dist, err = distributor.New(distributor.DefaultConfig(), in, in.Identity(), distributor.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	flush := func() {
		if err := in.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 1 + rng.IntN(3) {
		push()
	}
	check("live")
	restart()
	check("live, restarted")
	flush()
	check("in a block")
	before := maps.Clone(want)
	push()
	check("in a block and live")
	flush()
	restart()
	check("in two blocks, restarted")
	if len(want) < len(before) {
		t.Fatal("the test lost count")
	}
	in.Stop()
}

// TestLossless runs many random round trips: CLEW_ROUNDTRIPS of them, or a slice.
func TestLossless(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	if s := os.Getenv("CLEW_ROUNDTRIPS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatalf("CLEW_ROUNDTRIPS: %v", err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d, %d round trips", seed, rounds)
	for n := range uint64(rounds) {
		roundTrip(t, seed+n)
	}
}

// FuzzLossless lets the fuzzer look for seeds that reach new code.
func FuzzLossless(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(roundTrip)
}
