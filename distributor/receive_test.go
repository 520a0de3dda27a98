package distributor

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	protobuf "google.golang.org/protobuf/proto"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/clewtrace/clew/ingester/portion"
)

const exportMethod = "/" + serviceName + "/Export"

// wireCodec sends []byte as it is, so that a client costs little.
type wireCodec struct{ encoding.CodecV2 }

func (c wireCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func dialWire(t testing.TB, d *Distributor) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(serveGRPC(t, d), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(wireCodec{encoding.GetCodecV2(proto.Name)})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func exportWire(ctx context.Context, conn *grpc.ClientConn, req []byte) error {
	return conn.Invoke(ctx, exportMethod, req, new(collectortrace.ExportTraceServiceResponse))
}

// ordinaryRequest is 500 spans in the usual encoding, about 220 KB.
func ordinaryRequest(t testing.TB) []byte {
	t.Helper()
	b, err := bigRequest(500).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	var m collectortrace.ExportTraceServiceRequest
	if err := protobuf.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if b, err = protobuf.Marshal(&m); err != nil {
		t.Fatal(err)
	}
	return b
}

// slowPusher fails if the bytes of a portion change while it has them.
type slowPusher struct {
	hold    time.Duration
	started chan struct{} // if not nil, gets a value for each push
	release chan struct{} // if not nil, is waited for
}

var seed = maphash.MakeSeed()

func (s slowPusher) Push(ctx context.Context, p *portion.Portion) (portion.Receipt, error) {
	raw, payload := maphash.Bytes(seed, p.Raw), maphash.Bytes(seed, p.Payload)
	if s.started != nil {
		s.started <- struct{}{}
	}
	if s.release != nil {
		<-s.release
	}
	time.Sleep(s.hold)
	if maphash.Bytes(seed, p.Raw) != raw || maphash.Bytes(seed, p.Payload) != payload {
		return portion.Receipt{}, errors.New("bytes of a portion have changed while it was pushed")
	}
	return portion.Receipt{}, nil
}

// TestRequestsWaitForRoom sends, from many clients at once, requests of many
// sizes that together are several times as large as may be in flight.
func TestRequestsWaitForRoom(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxRequestBytes, cfg.MaxInFlightBytes = 1<<20, 2<<20
	d, err := New(cfg, slowPusher{hold: time.Millisecond}, portion.Identity{Name: "i", Incarnation: uuid.New()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn := dialWire(t, d)
	web := httptest.NewServer(d.NewHTTPHandler())
	defer web.Close()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			for range 10 {
				b, _ := bigRequest(1 + rng.IntN(20)*rng.IntN(80)).MarshalProto()
				if i%4 > 0 {
					if err := exportWire(t.Context(), conn, b); err != nil {
						t.Error(err)
					}
					continue
				}
				resp, err := http.Post(web.URL+"/v1/traces", typeProto, bytes.NewReader(b))
				if err != nil {
					t.Error(err)
					continue
				}
				if resp.Body.Close(); resp.StatusCode != http.StatusOK {
					t.Error(resp.Status)
				}
			}
		})
	}
	wg.Wait()
	web.CloseClientConnections()
	if !d.inFlight.TryAcquire(int64(cfg.MaxInFlightBytes)) {
		t.Error("bytes in flight were not given back")
	}
}

// TestRefusedBeforeItIsRead fills what may be in flight; then both doors must
// refuse requests of which nothing but the header has come.
func TestRefusedBeforeItIsRead(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxRequestBytes, cfg.MaxInFlightBytes, cfg.PushTimeout = 1<<20, 1<<20, 50*time.Millisecond
	p := slowPusher{started: make(chan struct{}), release: make(chan struct{})}
	d, err := New(cfg, p, portion.Identity{Name: "i", Incarnation: uuid.New()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn := dialWire(t, d)
	big, _ := bigRequest(2110).MarshalProto()
	if len(big) > 1<<20 || len(big) < 1<<20-minExpected {
		t.Fatalf("%d bytes", len(big))
	}
	first := make(chan error)
	go func() { first <- exportWire(t.Context(), conn, big) }()
	<-p.started

	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, exportMethod)
	if err != nil {
		t.Fatal(err)
	}
	err = stream.RecvMsg(new(collectortrace.ExportTraceServiceResponse)) // nothing was sent
	retry := false
	for _, detail := range status.Convert(err).Details() {
		_, retry = detail.(*errdetails.RetryInfo)
	}
	if status.Code(err) != codes.ResourceExhausted || !retry {
		t.Errorf("gRPC: %v", err)
	}

	req := httptest.NewRequest(http.MethodPost, "/v1/traces", iotest.ErrReader(errors.New("the body was read")))
	req.Header.Set("Content-Type", typeProto)
	w := httptest.NewRecorder()
	d.NewHTTPHandler().ServeHTTP(w, req)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("HTTP: %d %s", w.Code, w.Body)
	}

	close(p.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if !d.inFlight.TryAcquire(int64(cfg.MaxInFlightBytes)) {
		t.Error("bytes in flight were not given back")
	}
}

func TestExpect(t *testing.T) {
	d := newDistributor(t, nullPusher{}, false)
	if got := d.expect(); got != minExpected {
		t.Errorf("at first: %d", got)
	}
	d.note(300_000)
	d.note(1000)
	if got := d.expect(); got < 290_000 || got > 300_000 {
		t.Errorf("after a large one: %d", got)
	}
	for range 1000 {
		d.note(1000)
	}
	if got := d.expect(); got != minExpected {
		t.Errorf("after many small ones: %d", got)
	}
	d.note(1 << 40)
	if got := d.expect(); got != int64(d.cfg.MaxRequestBytes) {
		t.Errorf("at most: %d", got)
	}
}

func TestBufferPool(t *testing.T) {
	p := newBufferPool(100_000)
	for _, n := range []int{0, 1, minBuffer, minBuffer + 1, 16 << 10, 99_999, 131_072, 131_073, 1 << 20} {
		b := p.Get(n)
		if len(*b) != n {
			t.Errorf("asked for %d, got %d", n, len(*b))
		}
		p.Put(b)
		p.Put(&[]byte{1}) // not ours
	}
	for _, size := range []int{0, 1, minBuffer - 1, minBuffer, minBuffer + 1, 50_000, 99_999, 100_000, 100_001, 300_000} {
		for _, hint := range []int{0, size, 1 << 20} {
			want := strings.Repeat("x", size)
			b, err := p.readAll(iotest.HalfReader(strings.NewReader(want)), hint, 100_000)
			if err != nil || string(*b) != want[:min(size, 100_001)] {
				t.Errorf("%d bytes, hint %d: got %d, %v", size, hint, len(*b), err)
				continue
			}
			p.Put(b)
		}
	}
	if _, err := p.readAll(iotest.TimeoutReader(iotest.OneByteReader(io.LimitReader(zeros{}, 10))), 0, 100); !errors.Is(err, iotest.ErrTimeout) {
		t.Error(err)
	}
}

// zeros reads zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// BenchmarkReceive is a whole request over gRPC and loopback, client included,
// up to the Pusher.
func BenchmarkReceive(b *testing.B) {
	conn, req := dialWire(b, newDistributor(b, nullPusher{}, false)), ordinaryRequest(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(req)))
	for b.Loop() {
		if err := exportWire(context.Background(), conn, req); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/span")
}
