package ingester_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
	"github.com/clewtrace/clew/storage/trace/tracetest"
)

// The folder testdata/v1 is a data directory as version 1 of the formats wrote
// it: a block and a log of two tenants, and beside it every request that was
// pushed. It is never written again. CLEW_NEW_FIXTURE=DIR makes one of the
// present version in DIR.
const fixture = "testdata/v1"

var fixtureTenants = []tenant.ID{"a", "b"}

// TestFixture opens the fixture and compares every span with what was pushed.
func TestFixture(t *testing.T) {
	if out := os.Getenv("CLEW_NEW_FIXTURE"); out != "" {
		newFixture(t, out)
		return
	}
	mem := fsys.NewMemory()
	copyIn(t, mem, fixture)
	in := ingestertest.Open(t, mem, "data", ingester.DefaultConfig())
	for _, id := range fixtureTenants {
		if n := len(blocksOf(in, id)); n != 1 {
			t.Errorf("tenant %s: %d blocks, want 1", id, n)
		}
	}
	if st := in.Stats(); len(st.Tenants) != len(fixtureTenants) || len(st.Damage) != 0 {
		t.Errorf("log: %+v", st)
	}
	compareFixture(t, in, "block and log")
	// What was in the log becomes a block of the present version.
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	compareFixture(t, in, "after a flush")
	in.Stop()
	in = ingestertest.Open(t, mem, "data", ingester.DefaultConfig())
	compareFixture(t, in, "opened again")
	in.Stop()
}

func compareFixture(t *testing.T, in *ingestertest.Instance, where string) {
	t.Helper()
	for _, id := range fixtureTenants {
		want, got, traces := map[[32]byte]int{}, map[[32]byte]int{}, map[trace.ID]bool{}
		for n := 0; ; n++ {
			req, err := os.ReadFile(fmt.Sprintf("%s/pushed/%s-%d.otlp", fixture, id, n))
			if err != nil {
				if n == 0 {
					t.Fatal(err)
				}
				break
			}
			if err := errors.Join(tracetest.Identities(want, req), tracetest.TraceIDs(traces, req)); err != nil {
				t.Fatal(err)
			}
		}
		for tid := range traces {
			tr, err := in.Spans(id, tid)
			if err != nil {
				t.Fatalf("%s: tenant %s: %v", where, id, err)
			}
			if tr != nil {
				if err := tracetest.Identities(got, tr.Wire()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for span := range want {
			if got[span] != 1 {
				t.Errorf("%s: tenant %s: a span comes %d times", where, id, got[span])
			}
		}
		if len(got) != len(want) || len(want) < 20 {
			t.Errorf("%s: tenant %s: %d different spans, want %d", where, id, len(got), len(want))
		}
	}
}

// copyIn copies files/ of a fixture into the folder data of mem.
func copyIn(t *testing.T, mem fsys.FS, from string) {
	t.Helper()
	root := os.DirFS(filepath.Join(from, "files"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if err := mem.MkdirAll(path.Dir("data/" + name)); err != nil {
			return err
		}
		f, err := mem.Create("data/" + name)
		if err != nil {
			return err
		}
		if _, err := f.Write(b); err != nil {
			return err
		}
		return f.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newFixture makes a fixture of the present version in the folder out.
func newFixture(t *testing.T, out string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(out, "pushed"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(out, "files")
	cfg := ingester.DefaultConfig()
	cfg.Log.SegmentBytes, cfg.Log.MinFreeBytes = 64<<10, 0
	in := ingestertest.Open(t, fsys.OS{}, dir, cfg)
	gen := tracetest.New(rand.New(rand.NewPCG(1, 1)), tracetest.Config{Traces: 12, Now: now})
	streams := map[tenant.ID]portion.Stream{}
	push := func(id tenant.ID, n int) {
		req := gen.Request()
		if err := os.WriteFile(fmt.Sprintf("%s/pushed/%s-%d.otlp", out, id, n), req, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, ok := streams[id]; !ok {
			streams[id] = portion.Stream{Tenant: id, Boot: uuid.New(), Builder: in.Identity()}
		}
		p := &portion.Portion{Stream: streams[id], Seq: uint64(n + 1), Payload: s2.Encode(nil, req), RawSize: len(req), ReceivedUnixNano: now}
		if r, err := in.Push(t.Context(), p); err != nil || r.Rejected != nil {
			t.Fatal(r, err)
		}
	}
	for n := range 6 {
		for _, id := range fixtureTenants {
			push(id, n)
		}
	}
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 6; n < 10; n++ {
		for _, id := range fixtureTenants {
			push(id, n)
		}
	}
	in.Stop()
	for _, lock := range []string{"store.lock", "ingester/log/LOCK"} {
		_ = os.Remove(filepath.Join(dir, lock)) // made again by whoever opens it
	}
}
