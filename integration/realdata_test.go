package integration

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
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
// live columns into blocks, and compares every span that comes out with what
// went in: resource, scope, attributes, events, links and all. It looks at four
// stages: live, after a restart, in blocks, and in blocks after a restart.
func TestRealDataRoundTrip(t *testing.T) {
	files := realData(t)
	if testing.Short() {
		files = files[:1] // the race detector makes this test ten times slower
	}
	dir := t.TempDir()
	cfg := ingester.DefaultConfig()
	cfg.Log.MinFreeBytes = 0
	in := ingestertest.Open(t, fsys.OS{}, dir, cfg)
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
	// In the order of blocks, so that each part of them is read once.
	sorted := slices.SortedFunc(maps.Keys(ids), func(a, b trace.ID) int { return bytes.Compare(a[:], b[:]) })
	check := func(where string, live bool) {
		t.Helper()
		var got sum
		r, _ := in.Recent(tenant.Single, ^uint64(0))
		sources := r.Sources
		v := in.Blocks.View(tenant.Single)
		for _, b := range v.Blocks {
			parts, err := b.Parts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, parts...)
		}
		if live != (len(v.Blocks) == 0) || live == (len(r.Sources) == 0) || len(v.Failed) > 0 {
			t.Fatalf("%s: %d live sources, %d blocks, failed %v", where, len(r.Sources), len(v.Blocks), v.Failed)
		}
		for _, id := range sorted {
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
		st, n := in.Stats(), float64(got.spans)
		stored := uint64(0)
		for _, b := range in.Blocks.Stats() {
			stored += b.Bytes
		}
		t.Logf("%s: %d spans, %d traces; bytes a span: %.0f of columns, %.1f of log, %.1f of blocks", where, got.spans, len(ids),
			float64(st.LiveBytes)/n, float64(st.Log.LiveBytes)/n, float64(stored)/n)
	}
	restart := func() {
		in.Stop()
		begin := time.Now()
		in = ingestertest.Open(t, fsys.OS{}, dir, cfg)
		t.Logf("start took %s", time.Since(begin).Round(time.Millisecond))
	}
	check("live", true)
	restart()
	check("live, restarted", true)
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("in blocks", false)
	restart()
	check("in blocks, restarted", false)
	in.Stop()
}
