package fsys

import (
	"errors"
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
			must(g.Close())
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
