package integration

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// realData finds the recorded traces: CLEW_REAL_DATA, or shared/data/real in a
// folder above this one. They are too large for the repository.
func realData(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("CLEW_REAL_DATA")
	if wd, err := os.Getwd(); dir == "" && err == nil {
		for d := wd; d != filepath.Dir(d) && dir == ""; d = filepath.Dir(d) {
			if c := filepath.Join(d, "shared", "data", "real"); isDir(c) {
				dir = c
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.otlp.zst"))
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the recorded traces are not there: set CLEW_REAL_DATA")
		}
		t.Skip("the recorded traces are not there: set CLEW_REAL_DATA")
	}
	return files
}

func isDir(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.IsDir()
}

// eachRequest calls fn with every recorded request; the bytes are fn's.
func eachRequest(t testing.TB, file string, fn func([]byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r := bufio.NewReaderSize(z, 1<<20)
	for {
		n, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		fn(b)
	}
}

// sum adds up the identities of spans: equal sums and counts mean equal sets,
// in any order.
type sum struct {
	spans int
	bits  [4]uint64
}

func (s *sum) add(id [32]byte) {
	s.spans++
	for i := range s.bits {
		s.bits[i] += binary.LittleEndian.Uint64(id[i*8:])
	}
}

// addAll adds every span of an OTLP message and calls each with its trace ID.
func (s *sum) addAll(t testing.TB, b []byte, each func(trace.ID)) {
	t.Helper()
	children := func(b []byte, num uint32, own *[]byte, fn func([]byte)) {
		for i := 0; i < len(b); {
			f, n := trace.NextField(b, i)
			if n < 0 {
				t.Fatal("damaged OTLP")
			}
			if f.Num == num {
				if fn != nil {
					fn(f.Data)
				}
			} else if own != nil {
				*own = append(*own, b[i:n]...)
			}
			i = n
		}
	}
	children(b, 1, nil, func(rs []byte) {
		var resource []byte
		children(rs, 2, &resource, nil)
		children(rs, 2, nil, func(ss []byte) {
			var scope []byte
			children(ss, 2, &scope, nil)
			children(ss, 2, nil, func(span []byte) {
				id, err := trace.Identity(resource, scope, span)
				if err != nil {
					t.Fatal(err)
				}
				s.add(id)
				if each != nil {
					children(span, 1, nil, func(b []byte) {
						if tid, ok := trace.IDFromBytes(b); ok {
							each(tid)
						}
					})
				}
			})
		})
	})
}

// TestRealDataRoundTrip pushes all recorded traces through distributor, log and
// live columns, restarts, and compares every span that comes out with what went
// in: resource, scope, attributes, events, links and all.
func TestRealDataRoundTrip(t *testing.T) {
	files := realData(t)
	if testing.Short() {
		files = files[:1] // the race detector makes this test ten times slower
	}
	dir := t.TempDir()
	cfg := ingester.DefaultConfig()
	cfg.Log.MinFreeBytes = 0
	open := func() (*ingester.Ingester, func()) {
		in, err := ingester.Open(fsys.OS{}, dir, cfg, ingester.Options{Name: "i"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- in.Run(ctx) }()
		for in.Replaying() {
			time.Sleep(time.Millisecond)
		}
		return in, func() {
			cancel()
			if err := errors.Join(<-done, in.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	in, stop := open()
	d, err := distributor.New(distributor.DefaultConfig(), in, in.Identity(), distributor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var want sum
	ids := map[trace.ID]bool{}
	for _, file := range files {
		eachRequest(t, file, func(b []byte) {
			want.addAll(t, b, func(id trace.ID) { ids[id] = true })
			out, err := d.Push(t.Context(), tenant.Single, b)
			if err != nil || out.Rejected != nil {
				t.Fatalf("%s: %+v, %v", filepath.Base(file), out, err)
			}
		})
	}
	check := func(where string, in *ingester.Ingester) {
		t.Helper()
		var got sum
		sources, _ := in.Recent(tenant.Single)
		for id := range ids {
			for _, s := range sources {
				b, found, err := s.Fragment(t.Context(), nil, id)
				if err != nil {
					t.Fatal(err)
				}
				if found {
					got.addAll(t, b, nil)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %d spans came back of %d, equal content: %v", where, got.spans, want.spans, got.bits == want.bits)
		}
		st := in.Stats()
		t.Logf("%s: %d spans, %d traces, %.0f bytes of columns and %.1f bytes of log a span", where, got.spans, len(ids),
			float64(st.LiveBytes)/float64(got.spans), float64(st.Log.Bytes)/float64(got.spans))
	}
	check("live", in)
	stop()
	begin := time.Now()
	in, stop = open()
	t.Logf("replay took %s", time.Since(begin).Round(time.Millisecond))
	check("after restart", in)
	stop()
}
