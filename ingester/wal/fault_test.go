package wal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clewtrace/clew/storage/fsys"
)

// failing fails one operation, and counts them all.
type failing struct {
	fsys.Faulty
	mu   sync.Mutex
	n    int // operations so far
	at   int // the one that fails
	err  error
	op   string // what it was
	part int    // bytes written before the failure
}

func newFailing(mem *fsys.Memory, at int, err error, part int) *failing {
	f := &failing{at: at, err: err, part: part}
	f.FS = mem
	f.Hook = func(op, name string) (int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.n++; f.n-1 == f.at {
			f.op = op
			return f.part, f.err
		}
		return 0, nil
	}
	return f
}

// Whatever operation fails, at whatever point: the log refuses or ends as
// documented, nothing hangs, and afterwards all that was acknowledged is there,
// after a restart and after a power cut.
func TestEveryOperationFails(t *testing.T) {
	outcomes := map[string]map[string]int{}
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
		for at := 0; ; at += step {
			base, m := fsys.NewMemory(), newModel()
			l := open(t, base, Options{SegmentBytes: 1000})
			if err := m.check(l); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if wait, err := m.append(l, 60); err != nil || wait() != nil {
					t.Fatal("a sound disk refuses")
				}
			}
			l.Close()
			f := newFailing(base, at, cause, at%150)
			outcome, err := useFailing(f, m)
			if err != nil {
				t.Fatalf("%v at operation %d, %s: %v", cause, at, f.op, err)
			}
			if f.op == "" {
				break
			}
			key := fmt.Sprintf("%v %s", cause, f.op)
			if outcomes[key] == nil {
				outcomes[key] = map[string]int{}
			}
			outcomes[key][outcome]++
			// A failed deletion may be known to the operator as a loss: see
			// deleteSegments. Unreadable bytes were readable again by now.
			m.full = true
			for _, after := range []*fsys.Memory{base.Crash(nil), base.Crash(rand.New(rand.NewPCG(uint64(at), 0))), base} {
				n := m.after()
				l, err := Open(after, "log", Options{})
				if err != nil {
					t.Fatalf("%v at operation %d, %s: open afterwards: %v", cause, at, f.op, err)
				}
				if err := n.check(l); err != nil {
					t.Fatalf("%v at operation %d, %s: %v", cause, at, f.op, err)
				}
				if wait, err := n.append(l, 10); err != nil || wait() != nil {
					t.Fatalf("%v at operation %d, %s: the log takes nothing afterwards", cause, at, f.op)
				}
				l.Close()
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(outcomes)) {
		t.Log(key, outcomes[key])
	}
	for _, c := range []struct{ op, outcome string }{
		{"input/output error Sync", "ended"}, {"no space left on device Write", "refused"},
		{"input/output error Lock", "not opened"},
	} {
		if outcomes[c.op][c.outcome] == 0 && step == 1 {
			t.Errorf("%s: %v, never %q", c.op, outcomes[c.op], c.outcome)
		}
	}
}

// useFailing opens, uses and closes a log, one operation of which fails.
func useFailing(f *failing, m *model) (outcome string, err error) {
	l, err := Open(f, "log", Options{SegmentBytes: 1000})
	if err != nil {
		if !errors.Is(err, f.err) {
			return "", fmt.Errorf("open: %w", err)
		}
		return "not opened", nil
	}
	defer l.Close()
	outcome = "passed over"
	n := m.after()
	n.acked = map[Position]string{} // what cannot be read now may be lost now
	// Damage is what an unreadable page looks like.
	if err := n.check(l); err != nil && !errors.Is(err, errDamage) {
		return "", err
	}
	for i := range 60 {
		if i%7 == 0 {
			m.dropAllBut(l, 9)
			for end := time.Now().Add(50 * time.Millisecond); !atRest(l) && l.Err() == nil && time.Now().Before(end); {
				time.Sleep(100 * time.Microsecond)
			}
		}
		wait, err := m.append(l, 60)
		if err == nil {
			err = wait()
		}
		switch full := (*Full)(nil); {
		case err == nil:
		case errors.As(err, &full):
			outcome = "refused"
		case errors.Is(err, f.err) && l.Err() != nil:
			return "ended", nil
		default:
			return "", err
		}
	}
	return outcome, nil
}
