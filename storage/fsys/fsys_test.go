package fsys

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"testing"
)

// TestConformance holds every implementation to the contract of FS.
func TestConformance(t *testing.T) {
	for name, f := range map[string]FS{
		"os": OS{}, "memory": NewMemory(),
		"faulty": &Faulty{FS: NewMemory(), Hook: func(string, string) (int, error) { return 0, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := "work"
			if name == "os" {
				dir = t.TempDir()
			}
			p := func(n string) string { return path.Join(dir, n) }
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(f.MkdirAll(p("a/b")))
			g, err := f.Create(p("a/x"))
			must(err)
			if _, err := f.Create(p("a/x")); !errors.Is(err, fs.ErrExist) {
				t.Errorf("create twice: %v", err)
			}
			_, err = g.Write([]byte("hello"))
			must(err)
			must(g.Sync())
			must(g.Truncate(4))
			_, err = g.Write([]byte("!"))
			must(err)
			buf := make([]byte, 5)
			_, err = g.ReadAt(buf, 0)
			must(err)
			if string(buf) != "hell!" {
				t.Errorf("read %q", buf)
			}
			_, err = g.WriteAt([]byte("J"), 0)
			must(err)
			_, err = g.WriteAt([]byte("end"), 7) // behind the end: zeros between
			must(err)
			_, err = g.Write([]byte("."))
			must(err)
			buf = make([]byte, 12)
			if n, err := g.ReadAt(buf, 0); n != 11 || !errors.Is(err, io.EOF) || string(buf[:n]) != "Jell!\x00\x00end." {
				t.Errorf("read %q, %v", buf[:n], err)
			}
			must(g.Truncate(5))
			must(g.Close())
			g, err = f.Open(p("a/x"))
			must(err)
			_, err = g.Write([]byte("?"))
			must(err)
			if n, err := g.Size(); n != 6 || err != nil {
				t.Errorf("size %d, %v", n, err)
			}
			must(g.Truncate(5))
			must(g.Close())
			must(f.MkdirAll(p("a/b/c/d"))) // on folders that are there in part
			must(f.MkdirAll(p("a/b/c/d")))
			if err := f.MkdirAll(p("a/x/y")); err == nil {
				t.Error("a folder was made in a file")
			}
			must(f.SyncDir(p("a")))
			names, err := f.ReadDir(p("a"))
			must(err)
			if len(names) != 2 || names[0] != "b" || names[1] != "x" {
				t.Errorf("names %q", names)
			}
			must(f.Rename(p("a"), p("c")))
			if n, err := f.Size(p("c/x")); err != nil || n != 5 {
				t.Errorf("size %d, %v", n, err)
			}
			if _, err := f.Open(p("a/x")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open after rename: %v", err)
			}
			l, err := f.Lock(p("c/LOCK"))
			must(err)
			if _, err := f.Lock(p("c/LOCK")); !errors.Is(err, ErrLocked) {
				t.Errorf("lock twice: %v", err)
			}
			must(l.Close())
			if n, err := f.Free(dir); err != nil || n <= 0 {
				t.Errorf("free %d, %v", n, err)
			}
			must(f.RemoveAll(p("c")))
			if _, err := f.ReadDir(p("c")); err == nil {
				t.Error("folder still there")
			}
		})
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	for seed := range uint64(50) {
		m := NewMemory()
		g, _ := m.Create("x")
		g.Write([]byte("kept"))
		g.Sync()
		m.SyncDir(".")
		g.Write([]byte("lost?"))
		m.Create("never-synced")
		after := m.Crash(rand.New(rand.NewPCG(seed, 0)))
		h, err := after.Open("x")
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4)
		if _, err := h.ReadAt(buf, 0); err != nil || string(buf) != "kept" {
			t.Fatalf("seed %d: %q, %v", seed, buf, err)
		}
	}
}

// A folder is an entry of the one above: without SyncDir there it is lost in a
// power cut, and with it all that was synced below.
func TestCrashLosesUnsyncedFolders(t *testing.T) {
	write := func(m *Memory) {
		g, err := m.Create("a/b/x")
		if err != nil {
			t.Fatal(err)
		}
		g.Write([]byte("synced"))
		if err := errors.Join(g.Sync(), m.SyncDir("a/b")); err != nil {
			t.Fatal(err)
		}
	}
	lost := 0
	for seed := range uint64(50) {
		m := NewMemory()
		if err := errors.Join(m.mkdir("a"), m.mkdir("a/b")); err != nil {
			t.Fatal(err)
		}
		write(m)
		if _, err := m.Crash(rand.New(rand.NewPCG(seed, 0))).Open("a/b/x"); err != nil {
			lost++
		}
		m = NewMemory()
		if err := m.MkdirAll("a/b"); err != nil {
			t.Fatal(err)
		}
		write(m)
		if _, err := m.Crash(rand.New(rand.NewPCG(seed, 0))).Open("a/b/x"); err != nil {
			t.Fatalf("seed %d: below MkdirAll: %v", seed, err)
		}
	}
	if lost == 0 {
		t.Error("a power cut never lost a folder that was not synced")
	}
}

// recorder is a maker that tells what was asked of it, and can end in between.
type recorder struct {
	*Memory
	ops  []string
	stop int
}

func (r *recorder) mkdir(name string) error {
	if len(r.ops) == r.stop {
		return io.ErrUnexpectedEOF
	}
	r.ops = append(r.ops, "mkdir "+name)
	return r.Memory.mkdir(name)
}

func (r *recorder) SyncDir(name string) error {
	if len(r.ops) == r.stop {
		return io.ErrUnexpectedEOF
	}
	r.ops = append(r.ops, "sync "+name)
	return r.Memory.SyncDir(name)
}

// A process that ends between two steps of MkdirAll leaves nothing that the
// next one takes for durable.
func TestMkdirAllAfterOneThatEnded(t *testing.T) {
	for stop := range 8 {
		for seed := range uint64(20) {
			m := NewMemory()
			r := &recorder{Memory: m, stop: stop}
			err := mkdirAll(r, "a/b/c")
			if done := err == nil; done != (stop == 7) {
				t.Fatalf("stop %d: %v after %q", stop, err, r.ops)
			}
			if err := m.MkdirAll("a/b/c"); err != nil {
				t.Fatal(err)
			}
			if is, err := m.Crash(rand.New(rand.NewPCG(seed, 0))).isDir("a/b/c"); !is {
				t.Fatalf("stop %d, seed %d: lost after MkdirAll: %v", stop, seed, err)
			}
		}
	}
}

// The pages that were not synced may reach the disk in any order, and the
// length apart from them.
func TestCrashTearsPages(t *testing.T) {
	const size = 3 * 4096
	kinds := map[string]bool{}
	for seed := range uint64(200) {
		m := NewMemory()
		g, _ := m.Create("x")
		m.SyncDir(".")
		g.Write(bytes.Repeat([]byte("o"), size))
		g.Sync()
		g.WriteAt(bytes.Repeat([]byte("n"), size), 0)
		h, err := m.Crash(rand.New(rand.NewPCG(seed, 0))).Open("x")
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, size)
		if _, err := h.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		kinds[string([]byte{b[0], b[4096], b[8192]})] = true
	}
	for _, k := range []string{"ooo", "nnn", "ono", "non", "oon", "noo"} {
		if !kinds[k] {
			t.Errorf("pages %s never seen, of %d kinds", k, len(kinds))
		}
	}
}
