package blocklist_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/clewtrace/clew/storage/backend/local"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

var stream = block.Coverage{Boot: uuid.UUID{1}, Builder: "i", Incarnation: uuid.UUID{2}}

func covers(from, to uint64) []block.Coverage {
	c := stream
	c.Intervals.Add(from, to)
	return []block.Coverage{c}
}

// oneSpan is a sealed Set with one span.
func oneSpan(t *testing.T) *columns.Set {
	t.Helper()
	set := columns.New("test", columns.DefaultOptions())
	span := append([]byte{1<<3 | 2, 16}, make([]byte, 16)...)
	span[2] = 7
	span = append(span, 2<<3|2, 8, 1, 2, 3, 4, 5, 6, 7, 8)
	wrap := func(num byte, b []byte) []byte { return append([]byte{num<<3 | 2, byte(len(b))}, b...) }
	if res, err := set.Append(wrap(1, wrap(2, wrap(2, span))), 0); err != nil || res.Spans != 1 {
		t.Fatal(res, err)
	}
	set.Seal()
	return set
}

func open(t *testing.T, fs fsys.FS) (*blocklist.List, *local.Store) {
	t.Helper()
	store, err := local.Open(fs, "data/store")
	if err != nil {
		t.Fatal(err)
	}
	l, err := blocklist.Open(store, blocklist.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l, store
}

func TestWriteAndOpenAgain(t *testing.T) {
	fs := fsys.NewMemory()
	l, store := open(t, fs)
	pinned := l.View("LOCK") // any name that a tenant may have
	for n := range uint64(3) {
		m, version, err := l.Write(t.Context(), oneSpan(t), block.WriteOptions{Tenant: "LOCK", Coverage: covers(1+10*n, 5+10*n)})
		if err != nil || version != n+1 || m.Rows != 1 {
			t.Fatalf("block %d: %+v, version %d, %v", n, m, version, err)
		}
	}
	if pinned.Version != 0 || len(pinned.Blocks) != 0 {
		t.Errorf("a view changed: %+v", pinned)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, fs)
	v := l.View("LOCK")
	if len(v.Blocks) != 3 || len(v.Failed) != 0 || v.Version != 3 {
		t.Errorf("opened again: %+v", v)
	}
	other := stream
	other.Boot = uuid.UUID{9}
	for _, c := range []struct {
		id   tenant.ID
		of   *block.Coverage
		seq  uint64
		want bool
	}{
		{"LOCK", &stream, 1, true}, {"LOCK", &stream, 25, true}, {"LOCK", &stream, 6, false}, {"LOCK", &stream, 0, false},
		{"LOCK", &other, 1, false}, {"other", &stream, 1, false},
	} {
		if got := l.Covered(c.id, c.of, c.seq); got != c.want {
			t.Errorf("portion %d of %s of tenant %s: covered %v", c.seq, c.of.Boot, c.id, got)
		}
	}
	if n := len(l.View("other").Blocks); n != 0 {
		t.Errorf("another tenant has %d blocks", n)
	}
}

// TestFailuresLeaveTheList fails each operation on the disk in turn: the list
// stays as it was, and nothing half made is opened later.
func TestFailuresLeaveTheList(t *testing.T) {
	for n, done := 1, false; !done; n++ {
		count, op := 0, ""
		mem := fsys.NewMemory()
		fs := &fsys.Faulty{FS: mem, Hook: func(o, _ string) (int, error) {
			if count++; count == n {
				op = o
				return 3, syscall.EIO
			}
			return 0, nil
		}}
		store, err := local.Open(fs, "data/store")
		if err != nil {
			continue
		}
		l, err := blocklist.Open(store, blocklist.Options{})
		if err != nil {
			continue
		}
		_, _, err = l.Write(t.Context(), oneSpan(t), block.WriteOptions{Tenant: "a", Coverage: covers(1, 2)})
		if err == nil {
			done = op == ""
			if done && n < 15 {
				t.Fatalf("only %d operations were tried", n)
			}
			continue
		}
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("operation %d (%s): %v does not say why", n, op, err)
		}
		if v := l.View("a"); len(v.Blocks) != 0 || l.Covered("a", &stream, 1) {
			t.Errorf("operation %d (%s) failed, and the list has %d blocks", n, op, len(v.Blocks))
		}
		if _, _, err := l.Write(t.Context(), oneSpan(t), block.WriteOptions{Tenant: "a", Coverage: covers(1, 2)}); err != nil {
			t.Errorf("operation %d (%s): tried again: %v", n, op, err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		// A commit of unknown outcome may have left the first one too.
		again, _ := open(t, mem)
		if v := again.View("a"); len(v.Failed) != 0 || len(v.Blocks) < 1 || len(v.Blocks) > 2 {
			t.Errorf("operation %d (%s): opened again: %d blocks, failed %v", n, op, len(v.Blocks), v.Failed)
		}
	}
}

func TestUnfinishedIsRemoved(t *testing.T) {
	fs := fsys.NewMemory()
	_, store := open(t, fs)
	b, err := store.Create("a", [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(block.DataObject); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ := open(t, fs)
	if names, err := fs.ReadDir("data/store/a/blocks"); len(names) != 0 || err != nil || len(l.View("a").Failed) != 0 {
		t.Errorf("left: %v, %v", names, err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	fs := fsys.NewMemory()
	open(t, fs)
	if _, err := local.Open(fs, "data/store"); !errors.Is(err, fsys.ErrLocked) || !strings.Contains(err.Error(), "data/store") {
		t.Errorf("second open: %v", err)
	}
}
