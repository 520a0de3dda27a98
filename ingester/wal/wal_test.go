package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/clewtrace/clew/storage/fsys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, fs fsys.FS, opts Options, dir ...string) *Log {
	t.Helper()
	if opts.Header.Name == "" {
		opts.Header = Header{"cluster", "ingester-0", uuid.UUID{1}}
	}
	l, err := Open(fs, append(dir, "log")[0], opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func replay(t testing.TB, l *Log) ([]string, Report) {
	t.Helper()
	var got []string
	rep, err := l.Replay(context.Background(), func(r Record) error {
		got = append(got, string(r.Data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, rep
}

func appendWait(l *Log, data string) (Position, error) {
	pos, c, err := l.Append(1, []byte(data))
	if err != nil {
		return 0, err
	}
	return pos, c.Wait(context.Background())
}

func TestReplayGivesBackInOrder(t *testing.T) {
	fs := fsys.NewMemory()
	l := open(t, fs, Options{SegmentBytes: 200})
	var want []string
	for i := range 50 {
		s := fmt.Sprint("record ", i)
		if _, err := appendWait(l, s); err != nil {
			t.Fatal(err)
		}
		want = append(want, s)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, fs, Options{Header: Header{Name: "other"}})
	defer l.Close()
	if l.Header().Incarnation != (uuid.UUID{1}) {
		t.Errorf("identity not kept: %+v", l.Header())
	}
	got, rep := replay(t, l)
	if fmt.Sprint(got) != fmt.Sprint(want) || len(rep.Damaged) != 0 {
		t.Errorf("got %q, damage %v", got, rep.Damaged)
	}
}

func TestLockedAgainstSecondProcess(t *testing.T) {
	fs := fsys.NewMemory()
	l := open(t, fs, Options{})
	defer l.Close()
	if _, err := Open(fs, "log", Options{}); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("second open: %v", err)
	}
}

// eventually waits until the keeper has brought the log to where ok holds.
func eventually(t testing.TB, l *Log, what string, ok func(Stats) bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(l.Stats()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: %+v", what, l.Stats())
		}
	}
}

// After any power cut every acknowledged record is replayed once and in order,
// and nothing that was never appended appears.
func TestPowerCut(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, round))
		mem := fsys.NewMemory()
		var acked []string
		for life := range 3 {
			l := open(t, mem, Options{SegmentBytes: 300})
			got, rep := replay(t, l)
			if len(rep.Damaged) > 0 {
				t.Fatalf("round %d: damage after a power cut: %v", round, rep.Damaged)
			}
			checkAcked(t, round, acked, got)
			var mu sync.Mutex
			var wg sync.WaitGroup
			crash := make(chan *fsys.Memory, 1)
			n := 1 + rng.IntN(20)
			at := rng.IntN(n)
			crashSeed := rng.Uint64()
			for i := range n {
				wg.Go(func() {
					s := fmt.Sprintf("life %d record %d %0*d", life, i, i*7%90, 0)
					_, err := appendWait(l, s)
					mu.Lock()
					defer mu.Unlock()
					select {
					case m := <-crash: // what is acked after the cut does not count
						crash <- m
						return
					default:
					}
					if err == nil {
						acked = append(acked, s)
					}
					if i == at {
						crash <- mem.Crash(rand.New(rand.NewPCG(crashSeed, 1)))
					}
				})
			}
			wg.Wait()
			l.Close()
			mem = <-crash
		}
	}
}

func checkAcked(t *testing.T, round uint64, acked, got []string) {
	t.Helper()
	count := map[string]int{}
	for _, s := range got {
		if count[s]++; count[s] > 1 {
			t.Fatalf("round %d: %q replayed twice", round, s)
		}
	}
	for _, s := range acked {
		if count[s] != 1 {
			t.Fatalf("round %d: acknowledged %q is lost", round, s)
		}
	}
}

// A flipped bit anywhere in a log that was closed is found and named; all
// records but the one it hit survive.
func TestBitFlips(t *testing.T) {
	fs := fsys.NewMemory()
	l := open(t, fs, Options{})
	for i := range 10 {
		if _, err := appendWait(l, fmt.Sprintf("record %d with some data in it", i)); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	name := path.Join("log", segmentName(1))
	size, _ := fs.Size(name)
	mark := size - recordHeader
	for at := range size {
		fs.Corrupt(name, func(b []byte) { b[at] ^= 0x10 })
		l := open(t, fs, Options{})
		got, rep := replay(t, l)
		l.Close()
		if at >= mark { // the mark of the end itself is taken for torn, and cut
			if len(got) != 10 || len(rep.Damaged) != 0 {
				t.Fatalf("byte %d: %d records, damage %v", at, len(got), rep.Damaged)
			}
			break
		}
		if len(got) < 9 || len(rep.Damaged) != 1 || rep.Damaged[0].Offset > at || rep.Damaged[0].Offset+rep.Damaged[0].Bytes <= at {
			t.Fatalf("byte %d: %d records, damage %v", at, len(got), rep.Damaged)
		}
		if now, _ := fs.Size(name); now != size {
			t.Fatalf("byte %d: a damaged file of %d bytes was cut to %d", at, size, now)
		}
		fs.Corrupt(name, func(b []byte) { b[at] ^= 0x10 })
	}
}

func TestDiskFull(t *testing.T) {
	var full sync.Map
	mem := fsys.NewMemory()
	fs := &fsys.Faulty{FS: mem, Hook: func(op, name string) (int, error) {
		if _, on := full.Load("on"); on && op == "Write" {
			return 10, syscall.ENOSPC
		}
		return 0, nil
	}}
	l := open(t, fs, Options{})
	if _, err := appendWait(l, "before"); err != nil {
		t.Fatal(err)
	}
	full.Store("on", true)
	var f *Full
	if _, err := appendWait(l, "refused"); !errors.As(err, &f) || f.Reason != "disk_full" {
		t.Fatalf("full disk: %v", err)
	}
	full.Delete("on")
	if _, err := appendWait(l, "after"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, mem, Options{})
	defer l.Close()
	if got, rep := replay(t, l); fmt.Sprint(got) != "[before after]" || len(rep.Damaged) > 0 {
		t.Errorf("got %q, %v", got, rep.Damaged)
	}
}

func TestFailedSyncIsFinal(t *testing.T) {
	broken := false
	fs := &fsys.Faulty{FS: fsys.NewMemory(), Hook: func(op, name string) (int, error) {
		if broken && op == "Sync" {
			return 0, syscall.EIO
		}
		return 0, nil
	}}
	l := open(t, fs, Options{})
	defer l.Close()
	if _, err := appendWait(l, "a"); err != nil {
		t.Fatal(err)
	}
	broken = true
	if _, err := appendWait(l, "b"); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
	broken = false
	if _, err := appendWait(l, "c"); !errors.Is(err, syscall.EIO) {
		t.Errorf("a log that failed takes records again: %v", err)
	}
	<-l.Failed()
}

func TestBudgetAndDrop(t *testing.T) {
	fs := fsys.NewMemory()
	l := open(t, fs, Options{SegmentBytes: 400, MaxBytes: 2000})
	defer l.Close()
	var pos []Position
	var full *Full
	for {
		p, err := appendWait(l, string(bytes.Repeat([]byte("x"), 100)))
		if errors.As(err, &full) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		pos = append(pos, p)
	}
	if full.Reason != "log_bytes" || len(pos) < 8 {
		t.Fatalf("%v after %d records", full, len(pos))
	}
	for _, p := range pos {
		l.Drop(p)
	}
	eventually(t, l, "the rest was dropped", func(st Stats) bool { return st.Segments == 1 && st.LiveBytes == 0 })
	if _, err := appendWait(l, "room again"); err != nil {
		t.Error(err)
	}
}

func sortedKeys[V any](m map[Position]V) []Position { return slices.Sorted(maps.Keys(m)) }

func crc(s string) uint32 { return crc32.Checksum([]byte(s), castagnoli) }
