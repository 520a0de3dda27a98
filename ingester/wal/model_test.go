package wal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/clewtrace/clew/storage/fsys"
)

// model is what a log must hold.
type model struct {
	mu      sync.Mutex
	acked   map[Position]string // and not dropped
	sent    map[string]bool     // given to Append
	written map[Position]string // all that may be there, where Append has returned
	used    map[Position]bool   // was acknowledged once: never to be used again
	serial  int
	full    bool // the disk was full at times
}

func newModel() *model {
	return &model{acked: map[Position]string{}, sent: map[string]bool{}, written: map[Position]string{}, used: map[Position]bool{}}
}

// after returns the model of a log that was cut off now.
func (m *model) after() *model {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &model{acked: maps.Clone(m.acked), sent: maps.Clone(m.sent), written: maps.Clone(m.written), used: maps.Clone(m.used), serial: m.serial, full: m.full}
}

// append appends a record of n bytes; wait makes it durable.
func (m *model) append(l *Log, n int) (wait func() error, err error) {
	m.mu.Lock()
	m.serial++
	data := fmt.Sprintf("%d:%s", m.serial, strings.Repeat("x", n))
	m.sent[data] = true
	m.mu.Unlock()
	pos, c, err := l.Append(1, []byte(data[:n/2]), []byte(data[n/2:]))
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used[pos] {
		return nil, fmt.Errorf("position %d is used twice", pos)
	}
	m.written[pos] = data
	return func() error {
		err := c.Wait(context.Background())
		m.mu.Lock()
		defer m.mu.Unlock()
		if err == nil {
			m.acked[pos], m.used[pos] = data, true
		}
		return err
	}, nil
}

// drop drops each acknowledged record with the given probability.
func (m *model) drop(l *Log, rng *rand.Rand, p float64) {
	m.mu.Lock()
	var drop []Position
	for _, pos := range sortedKeys(m.acked) {
		if rng.Float64() < p {
			delete(m.acked, pos)
			drop = append(drop, pos)
		}
	}
	m.mu.Unlock()
	for _, pos := range drop {
		l.Drop(pos)
	}
}

var errDamage = errors.New("damage where there can be none")

// check replays l and compares. What was dropped may come back.
func (m *model) check(l *Log) error {
	seen := map[Position]bool{}
	rep, err := l.Replay(context.Background(), func(r Record) error {
		if seen[r.Position] {
			return fmt.Errorf("position %d is replayed twice", r.Position)
		}
		seen[r.Position] = true
		data := string(r.Data)
		m.mu.Lock()
		defer m.mu.Unlock()
		if want, ok := m.written[r.Position]; ok && want != data || !m.sent[data] {
			return fmt.Errorf("position %d: got %.20q, want %.20q", r.Position, data, want)
		}
		m.written[r.Position] = data
		return nil
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range rep.Damaged {
		// A disk too full to record a deletion is the one false alarm.
		if !m.full || d.Reason != "the segment is missing" {
			return fmt.Errorf("%w: %v", errDamage, d)
		}
	}
	for pos, data := range m.acked {
		if !seen[pos] {
			return fmt.Errorf("acknowledged %.20q at %d is lost", data, pos)
		}
	}
	maps.DeleteFunc(m.written, func(pos Position, _ string) bool { return !seen[pos] })
	for pos := range seen { // replayed is as good as acknowledged
		m.acked[pos], m.used[pos] = m.written[pos], true
	}
	return nil
}

// cutter is a file system that loses power before an operation.
type cutter struct {
	fsys.Faulty
	mem   *fsys.Memory
	model *model

	mu    sync.Mutex
	left  int // operations until the cut; below 0 for never
	rng   *rand.Rand
	fail  func(op string) error
	after *fsys.Memory // what the cut left
	want  *model
	op    string // before which it was
}

func newCutter(mem *fsys.Memory, m *model, rng *rand.Rand, left int) *cutter {
	c := &cutter{mem: mem, model: m, left: left, rng: rng}
	c.FS, c.Hook = mem, c.hook
	return c
}

func (c *cutter) hook(op, name string) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 && c.after == nil {
		// In this order: what is acknowledged in between is in no model.
		c.want = c.model.after()
		c.after, c.op = c.mem.Crash(c.rng), op+" "+name
	}
	c.left--
	if c.fail != nil {
		return c.rng.IntN(50), c.fail(op)
	}
	return 0, nil
}

func (c *cutter) isCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.after != nil
}

// Random appends, drops, rotations, full disks, ends and power cuts, over
// several lives of one log. CLEW_WAL_ROUNDS sets the number of logs.
func TestCampaign(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	if n, err := strconv.Atoi(os.Getenv("CLEW_WAL_ROUNDS")); err == nil {
		rounds = n
	}
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("CLEW_WAL_SEED"), 10, 64); err == nil {
		seed = n
	}
	var cuts, cleaned, torn int
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		mem, m := fsys.NewMemory(), newModel()
		m.full = rng.IntN(4) == 0
		for life := range 2 + rng.IntN(6) {
			c := newCutter(mem, m, rand.New(rand.NewPCG(rng.Uint64(), 0)), rng.IntN(300)-20)
			st, err := live(t, c, m, rng)
			if err != nil {
				t.Fatalf("seed %d, round %d, life %d: %v", seed, round, life, err)
			}
			cleaned += st.cleaned
			torn += st.torn
			if c.after != nil {
				cuts++
				mem, m = c.after, c.want
			}
		}
	}
	t.Logf("seed %d: %d logs, %d power cuts, %d records moved, %d ranges torn", seed, rounds, cuts, cleaned, torn)
}

type lifeStats struct{ cleaned, torn int }

// live opens the log, checks it, and uses it until it is cut or closed.
func live(t *testing.T, c *cutter, m *model, rng *rand.Rand) (st lifeStats, err error) {
	l := open(t, c, Options{SegmentBytes: int64(500 + rng.IntN(3000)), MaxBytes: 60_000})
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, l.Close())
		}
	}()
	st.torn = len(l.torn)
	if err := m.check(l); err != nil {
		return st, err
	}
	full := m.full
	if full {
		c.mu.Lock()
		fail := rand.New(rand.NewPCG(rng.Uint64(), 0))
		c.fail = func(op string) error {
			if (op == "Write" || op == "Create") && fail.IntN(20) == 0 {
				return syscall.ENOSPC
			}
			return nil
		}
		c.mu.Unlock()
	}
	for range 10 + rng.IntN(60) {
		if c.isCut() {
			break
		}
		switch n := rng.IntN(20); {
		case n < 13:
			var waits []func() error
			for range 1 + rng.IntN(6) {
				size := rng.IntN(200)
				if rng.IntN(20) == 0 {
					size = rng.IntN(6000)
				}
				wait, err := m.append(l, size)
				if f := (*Full)(nil); errors.As(err, &f) {
					m.drop(l, rng, 0.5)
					continue
				} else if err != nil {
					return st, err
				}
				waits = append(waits, wait)
			}
			for _, wait := range waits {
				if err, f := wait(), (*Full)(nil); err != nil && (!full || !errors.As(err, &f)) {
					return st, err
				}
			}
		case n < 15:
			m.drop(l, rng, 0.9) // leaves what cleaning moves
		case n < 18:
			m.drop(l, rng, rng.Float64())
		default:
			l.Rotate()
		}
	}
	closed = true
	l.mu.Lock()
	st.cleaned = len(l.moved)
	l.mu.Unlock()
	return st, l.Close()
}
