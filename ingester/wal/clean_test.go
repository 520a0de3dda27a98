package wal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage/fsys"
)

func counted(c prometheus.Counter) float64 {
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	all, err := reg.Gather()
	if err != nil {
		panic(err)
	}
	return all[0].Metric[0].Counter.GetValue()
}

// A tenant that keeps one record in fifty for ever does not keep the segments:
// the log stays small, and each of its records comes back once, under the
// position it always had.
func TestSlowTenantDoesNotPinTheLog(t *testing.T) {
	const budget = 400_000
	mem := fsys.NewMemory()
	l := open(t, mem, Options{SegmentBytes: 20_000, MaxBytes: budget})
	slow := map[Position]string{}
	written, refused := 0, 0
	push := func(l *Log, i int) {
		s := fmt.Sprintf("%d %s", i, strings.Repeat("x", 500))
		pos, err := appendWait(l, s)
		if f := (*Full)(nil); errors.As(err, &f) {
			refused++ // the keeper is behind, for a moment
			eventually(t, l, "room again", func(st Stats) bool { return st.Bytes < budget/4*3 })
			return
		} else if err != nil {
			t.Fatal(err)
		}
		written += len(s)
		if i%50 == 0 && len(slow) < 100 {
			slow[pos] = s
		} else {
			l.Drop(pos)
		}
	}
	for i := range 10_000 {
		push(l, i)
	}
	if written < 10*budget || len(slow) < 90 {
		t.Fatalf("%d bytes written, %d records slow", written, len(slow))
	}
	small := func(st Stats) bool { return st.Bytes < 5*st.LiveBytes+3*20_000 }
	eventually(t, l, "the keeper has come to rest", small)
	if n := counted(l.m.cleaned); n < 50_000 {
		t.Errorf("cleaning moved %v bytes", n)
	}
	t.Logf("%d bytes written, %d refused, cleaning moved %v, %+v", written, refused, counted(l.m.cleaned), l.Stats())
	for range 3 {
		l.Close()
		l = open(t, mem, Options{SegmentBytes: 20_000, MaxBytes: budget})
		seen := map[Position]bool{}
		rep, err := l.Replay(context.Background(), func(r Record) error {
			if seen[r.Position] {
				t.Errorf("position %d twice", r.Position)
			}
			seen[r.Position] = true
			if want, ok := slow[r.Position]; !ok {
				l.Drop(r.Position) // dropped, but its segment was still there
			} else if want != string(r.Data) {
				t.Errorf("position %d: got %.10q, want %.10q", r.Position, r.Data, want)
			}
			return nil
		})
		if err != nil || len(rep.Damaged) > 0 {
			t.Fatalf("%v, %v", err, rep.Damaged)
		}
		for pos, s := range slow {
			if !seen[pos] {
				t.Errorf("%.10q at %d is lost", s, pos)
			}
		}
		for i := 1; i < 200; i++ {
			push(l, i)
		}
	}
	for pos := range slow {
		l.Drop(pos)
	}
	l.Rotate()
	eventually(t, l, "all was dropped", func(st Stats) bool { return st.LiveBytes == 0 && st.Segments == 1 })
	l.Close()
}

// A power cut before any operation of cleaning, of the first and of a second
// move of the same records, loses nothing and doubles nothing.
func TestCleaningIsCutAnywhere(t *testing.T) {
	ops := map[string]bool{}
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for left := 0; ; left++ {
		whole := true
		for seed := range seeds {
			mem, m := fsys.NewMemory(), newModel()
			c := newCutter(mem, m, rand.New(rand.NewPCG(seed, 0)), -1)
			cleanTwice(t, c, m, left)
			if c.after == nil {
				continue
			}
			whole = false
			ops[strings.Fields(c.op)[0]] = true
			// What the cut left is cut again at some point of the same work.
			for life := range 2 {
				mem, m = c.after, c.want
				c = newCutter(mem, m, rand.New(rand.NewPCG(seed, uint64(life+1))), -1)
				l := open(t, c, Options{SegmentBytes: 1000})
				if err := m.check(l); err != nil {
					t.Fatalf("cut before operation %d, %s, seed %d, life %d: %v", left, c.op, seed, life, err)
				}
				l.Close()
				c = newCutter(mem, m, rand.New(rand.NewPCG(seed, uint64(life+1))), -1)
				cleanTwice(t, c, m, left)
				if c.after == nil {
					break
				}
			}
		}
		if whole {
			t.Logf("%d operations: %v", left, ops)
			break
		}
	}
	for _, op := range []string{"Write", "Sync", "SyncDir", "Rename", "Remove", "Open", "ReadAt"} {
		if !ops[op] {
			t.Errorf("never cut before %s", op)
		}
	}
}

// cleanTwice fills segments, has them cleaned, and has those that the records
// moved to cleaned as well. The power is cut before operation left from there.
func cleanTwice(t *testing.T, c *cutter, m *model, left int) {
	t.Helper()
	l := open(t, c, Options{SegmentBytes: 1000})
	if err := m.check(l); err != nil {
		t.Fatal(err)
	}
	add := func(n int) {
		var waits []func() error
		for range n {
			wait, err := m.append(l, 60)
			if err != nil {
				t.Fatal(err)
			}
			waits = append(waits, wait)
		}
		for _, wait := range waits {
			if err := wait(); err != nil {
				t.Fatal(err)
			}
		}
		l.Rotate()
	}
	for range 3 {
		add(12)
	}
	c.mu.Lock()
	c.left = left
	c.mu.Unlock()
	for range 2 {
		m.dropAllBut(l, 8)
		eventually(t, l, "segments are cleaned", func(Stats) bool { return atRest(l) })
		add(12)
	}
	l.Close()
}

// dropAllBut drops all records but each n-th.
func (m *model) dropAllBut(l *Log, n int) {
	m.mu.Lock()
	var drop []Position
	for i, pos := range sortedKeys(m.acked) {
		if i%n != 0 {
			delete(m.acked, pos)
			drop = append(drop, pos)
		}
	}
	m.mu.Unlock()
	for _, pos := range drop {
		l.Drop(pos)
	}
}

// atRest reports that the keeper has nothing to do.
func atRest(l *Log) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segs {
		if s.removable() || s.cleanable() || s.gone {
			return false
		}
	}
	return len(l.wake) == 0
}

// watched sees every write, before it is done.
type watched struct {
	fsys.FS
	write func(n int)
}

type watchedFile struct {
	fsys.File
	w *watched
}

func (w *watched) Create(name string) (fsys.File, error) {
	f, err := w.FS.Create(name)
	return watchedFile{f, w}, err
}

func (f watchedFile) WriteAt(b []byte, off int64) (int, error) {
	f.w.write(len(b))
	return f.File.WriteAt(b, off)
}

// Cleaning moves at most 1 MiB at a time; what is dropped on the way stays
// dropped.
func TestCleaningInPortions(t *testing.T) {
	var mu sync.Mutex
	largest := 0
	onMove := func() {}
	fs := &watched{FS: fsys.NewMemory()}
	fs.write = func(n int) {
		mu.Lock()
		defer mu.Unlock()
		if largest = max(largest, n); n > 100_000 {
			onMove()
		}
	}
	l := open(t, fs, Options{SegmentBytes: 64 << 20})
	data := strings.Repeat("x", 150_000)
	var pos []Position
	for range 160 {
		p, err := appendWait(l, data)
		if err != nil {
			t.Fatal(err)
		}
		pos = append(pos, p)
	}
	l.Rotate()
	mu.Lock()
	largest = 0
	onMove = func() { l.Drop(pos[0]); onMove = func() {} }
	mu.Unlock()
	for i, p := range pos {
		if i%5 != 0 {
			l.Drop(p)
		}
	}
	eventually(t, l, "the segment is cleaned", func(st Stats) bool { return atRest(l) && st.Segments == 1 })
	mu.Lock()
	if largest > moveBytes || largest < 500_000 {
		t.Errorf("%d bytes were moved in one batch", largest)
	}
	mu.Unlock()
	if live := l.Stats().LiveBytes; live != 31*(recordHeader+150_000) {
		t.Errorf("%d bytes live, of %d records", live, live/150_000)
	}
	l.Close()
	l = open(t, fs, Options{})
	defer l.Close()
	n := 0
	l.Replay(context.Background(), func(r Record) error {
		if r.Position != pos[5*n] {
			t.Errorf("record %d has position %d, want %d", n, r.Position, pos[5*n])
		}
		n++
		return nil
	})
	if n != 32 { // the one dropped on the way was copied, and is there again
		t.Errorf("%d records", n)
	}
}

// Damage that cleaning comes upon keeps the segment, and is named at replay.
func TestCleaningFindsDamage(t *testing.T) {
	mem := fsys.NewMemory()
	l := open(t, mem, Options{})
	var pos []Position
	for i := range 20 {
		p, _ := appendWait(l, fmt.Sprint("record ", i))
		pos = append(pos, p)
	}
	l.Rotate()
	name, off := l.segs[0].name, l.segs[0].offset(pos[7])
	mem.Corrupt(name, func(b []byte) { b[off+recordHeader] ^= 1 })
	for i, p := range pos {
		if i != 3 && i != 7 {
			l.Drop(p)
		}
	}
	eventually(t, l, "damage was found", func(Stats) bool { return counted(l.m.damaged) == 1 })
	l.Close()
	l = open(t, mem, Options{})
	defer l.Close()
	got, rep := replay(t, l)
	if len(got) != 19 || len(rep.Damaged) != 1 || rep.Damaged[0].From != pos[7] || rep.Damaged[0].To != pos[8] {
		t.Errorf("%d records, damage %v", len(got), rep.Damaged)
	}
}
