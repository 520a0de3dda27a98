package ingester_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

var now = uint64(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())

// traceID is that of trace number k.
func traceID(k uint64) (id trace.ID) {
	binary.BigEndian.PutUint64(id[:], k*0x9E3779B97F4A7C15|1)
	binary.BigEndian.PutUint64(id[8:], k)
	return id
}

// payload is OTLP TracesData with spans [from, to) of trace number k.
func payload(k uint64, from, to int) []byte {
	field := func(dst []byte, num byte, b []byte) []byte {
		return append(binary.AppendUvarint(append(dst, num<<3|2), uint64(len(b))), b...)
	}
	var spans []byte
	id := traceID(k)
	for s := from; s < to; s++ {
		span := field(nil, 1, id[:])
		span = field(span, 2, binary.BigEndian.AppendUint64(nil, uint64(s+1)))
		span = field(span, 5, fmt.Appendf(nil, "op %d", s%7))
		span = binary.LittleEndian.AppendUint64(append(span, 7<<3|1), now+uint64(s))
		span = binary.LittleEndian.AppendUint64(append(span, 8<<3|1), now+uint64(s)+1000)
		spans = field(spans, 2, span)
	}
	return field(nil, 1, field(nil, 2, spans))
}

// client numbers portions as a distributor does.
type client struct {
	stream portion.Stream
	seq    uint64
}

func newClient(in *ingestertest.Instance, id tenant.ID) *client {
	return &client{stream: portion.Stream{Tenant: id, Boot: uuid.New(), Builder: in.Identity()}}
}

func (c *client) push(t testing.TB, in *ingestertest.Instance, raw []byte, spans int) error {
	c.seq++
	_, err := in.Push(t.Context(), &portion.Portion{Stream: c.stream, Seq: c.seq, Spans: spans,
		Payload: s2.Encode(nil, raw), RawSize: len(raw), ReceivedUnixNano: now})
	return err
}

// smallConfig cuts blocks and segments after a few pushes.
func smallConfig() ingester.Config {
	cfg := ingester.DefaultConfig()
	cfg.Block.MaxBytes = 1 << 20
	cfg.Log.SegmentBytes, cfg.Log.MaxBytes, cfg.Log.MinFreeBytes = 64<<10, 1<<30, 0
	return cfg
}

var errPower = errors.New("power cut")

// TestPowerCuts cuts the power at a random operation on the disk, again and
// again on the same data: while pushing, cutting, building, committing blocks,
// dropping log records, and while starting. Every acknowledged span must be
// there, once, and no block may be half there.
func TestPowerCuts(t *testing.T) {
	histories := 60
	if testing.Short() {
		histories = 15
	}
	if s := os.Getenv("CLEW_CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("CLEW_CRASH_ROUNDS: %v", err)
		}
		histories = 10 * n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var cuts, spans, blocks int
	steps := map[string]int{}
	for h := range histories {
		w := &world{t: t, rng: rand.New(rand.NewPCG(seed, uint64(h))), mem: fsys.NewMemory(), acked: map[key]int{}, steps: steps}
		for range 2 + w.rng.IntN(4) {
			w.round()
			cuts++
		}
		in := ingestertest.Open(t, w.mem, "data", smallConfig())
		w.check(in)
		for _, id := range tenants {
			blocks += len(in.Blocks.View(id).Blocks)
		}
		in.Stop()
		for _, n := range w.acked {
			spans += n
		}
		if t.Failed() {
			t.Fatalf("history %d", h)
		}
	}
	t.Logf("%d power cuts at %v: %d spans acknowledged, 0 lost, 0 doubled, %d blocks at the ends", cuts, steps, spans, blocks)
	if blocks == 0 || steps["Rename"]+steps["SyncDir"] == 0 {
		t.Error("no cut fell into the making of a block")
	}
}

var tenants = []tenant.ID{"a", "b"}

type key struct {
	tenant tenant.ID
	trace  uint64
}

type world struct {
	t     *testing.T
	rng   *rand.Rand
	mem   *fsys.Memory
	next  uint64 // trace number
	mu    sync.Mutex
	acked map[key]int // spans of each trace that were acknowledged
	steps map[string]int
}

// round runs an ingester until the power is cut.
func (w *world) round() {
	var left atomic.Int64
	left.Store(int64(1 + w.rng.IntN(300)))
	var once sync.Once
	fs := &fsys.Faulty{FS: w.mem, Hook: func(op, name string) (int, error) {
		n := left.Add(-1)
		if n > 0 {
			return 0, nil
		}
		once.Do(func() { w.mu.Lock(); w.steps[op]++; w.mu.Unlock() })
		return 0, errPower
	}}
	in, err := ingestertest.TryOpen(w.t, fs, "data", smallConfig())
	if err == nil {
		w.load(in, &left)
		in.Kill()
	}
	w.mem = w.mem.Crash(w.rng)
}

// load pushes from one client per tenant until the power is gone.
func (w *world) load(in *ingestertest.Instance, left *atomic.Int64) {
	var wg sync.WaitGroup
	for _, id := range tenants {
		first, size, flush := w.next, 1+w.rng.IntN(400), 1+w.rng.IntN(12)
		w.next += 10_000
		wg.Go(func() {
			c := newClient(in, id)
			for k := first; k < first+10_000 && left.Load() > 0; k++ {
				// A trace comes in two pushes, which may fall into two blocks.
				for _, span := range [][2]int{{0, size / 2}, {size / 2, size}} {
					if span[0] == span[1] {
						continue
					}
					if c.push(w.t, in, payload(k, span[0], span[1]), span[1]-span[0]) != nil {
						return
					}
					w.mu.Lock()
					w.acked[key{id, k}] += span[1] - span[0]
					w.mu.Unlock()
				}
				if k%uint64(flush) == 0 {
					_ = in.Flush(timeout(w.t, 50*time.Millisecond)) // the power may be gone
				}
			}
		})
	}
	wg.Wait()
}

// check compares what is there with what was acknowledged.
func (w *world) check(in *ingestertest.Instance) {
	for k, n := range w.acked {
		tr, err := in.Spans(k.tenant, traceID(k.trace))
		if err != nil {
			w.t.Fatalf("trace %d of %s: %v", k.trace, k.tenant, err)
		}
		if tr == nil {
			w.t.Fatalf("trace %d of %s is lost, with %d spans", k.trace, k.tenant, n)
		}
		ids := map[trace.SpanID]bool{}
		for i := range tr.Spans {
			ids[tr.Spans[i].ID] = true
		}
		// The last push of a round may be there without having been acknowledged.
		if len(ids) != len(tr.Spans) || len(ids) < n {
			w.t.Fatalf("trace %d of %s: %d spans, %d different ones, %d acknowledged", k.trace, k.tenant, len(tr.Spans), len(ids), n)
		}
		for _, other := range tenants {
			if other != k.tenant {
				if tr, err := in.Spans(other, traceID(k.trace)); tr != nil || err != nil {
					w.t.Fatalf("trace %d of %s is seen by %s", k.trace, k.tenant, other)
				}
			}
		}
	}
}
