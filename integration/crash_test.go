package integration

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/clewtrace/clew/storage/trace"
)

// request is one push of n spans, all of trace number k.
func request(k uint64, n int) (*collectortrace.ExportTraceServiceRequest, trace.ID) {
	var id trace.ID
	binary.BigEndian.PutUint64(id[:], k*0x9E3779B97F4A7C15|1)
	binary.BigEndian.PutUint64(id[8:], k)
	now := uint64(time.Now().UnixNano())
	spans := make([]*tracepb.Span, n)
	for i := range spans {
		spans[i] = &tracepb.Span{TraceId: id[:], SpanId: binary.BigEndian.AppendUint64(nil, uint64(i+1)), Name: "op " + strconv.Itoa(i%7),
			StartTimeUnixNano: now, EndTimeUnixNano: now + 1e6,
			Attributes: []*commonpb.KeyValue{{Key: "n", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(i)}}}}}
	}
	return &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "service.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "crash"}}}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}},
	}}}, id
}

// pushUntil pushes from four clients until stop is closed or a push fails, and
// returns the traces that were acknowledged.
func (p *process) pushUntil(stop <-chan struct{}, from uint64, perPush int) []trace.ID {
	var mu sync.Mutex
	var acked []trace.ID
	var wg sync.WaitGroup
	for c := range uint64(4) {
		wg.Go(func() {
			for k := from + c; ; k += 4 {
				select {
				case <-stop:
					return
				default:
				}
				req, id := request(k, perPush)
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				_, err := p.export(ctx, req)
				cancel()
				if err != nil {
					return
				}
				mu.Lock()
				acked = append(acked, id)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// TestKillLosesNothing kills clew with SIGKILL under load, again and again, on
// the same data, while it also writes blocks. Every acknowledged span must be
// there once.
func TestKillLosesNothing(t *testing.T) {
	rounds := 3
	if s := os.Getenv("CLEW_CRASH_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatalf("CLEW_CRASH_ROUNDS: %v", err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	const perPush = 20
	var acked []trace.ID
	from := uint64(1)
	for range rounds {
		p := start(t, dir, "--set", "ingester.log.segment_bytes=262144", "--set", "ingester.block.max_bytes=1048576")
		p.pushWhile(t, time.Duration(100+rng.IntN(900))*time.Millisecond, from, perPush, &acked, syscall.SIGKILL)
		from += 1 << 32
	}
	p := start(t, dir)
	p.awaitReplay(t)
	lost, doubled := 0, 0
	for _, id := range acked {
		seen := map[string]int{}
		for _, s := range p.spansOf(t, id) {
			seen[string(s.SpanId)]++
		}
		for _, n := range seen {
			doubled += n - 1
		}
		lost += perPush - len(seen)
	}
	blocks, _ := filepath.Glob(filepath.Join(dir, "store", "*", "blocks", "*", "meta.json"))
	t.Logf("%d rounds, %d blocks, %d spans acknowledged, %d lost, %d doubled", rounds, len(blocks), len(acked)*perPush, lost, doubled)
	if lost > 0 || doubled > 0 || len(acked) == 0 || len(blocks) == 0 {
		t.Fail()
	}
}

// pushWhile pushes for d, then sends sig, and adds what was acknowledged.
func (p *process) pushWhile(t *testing.T, d time.Duration, from uint64, perPush int, acked *[]trace.ID, sig syscall.Signal) (took time.Duration) {
	t.Helper()
	stop := make(chan struct{})
	got := make(chan []trace.ID)
	go func() { got <- p.pushUntil(stop, from, perPush) }()
	time.Sleep(d)
	took = p.stop(t, sig)
	close(stop)
	*acked = append(*acked, <-got...)
	return took
}

// TestTermUnderLoad stops clew with SIGTERM while clients push: it must be gone
// within 10 s, and nothing acknowledged may be missing afterwards.
func TestTermUnderLoad(t *testing.T) {
	dir := t.TempDir()
	var acked []trace.ID
	p := start(t, dir)
	if took := p.pushWhile(t, time.Second, 1, 20, &acked, syscall.SIGTERM); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	p = start(t, dir)
	p.awaitReplay(t)
	for _, id := range acked {
		if n := len(p.spansOf(t, id)); n != 20 {
			t.Fatalf("trace %s: %d of 20 spans", id, n)
		}
	}
	if len(acked) == 0 {
		t.Error("nothing was acknowledged")
	}
}
