package wal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/clewtrace/clew/storage/fsys"
)

// badDisk cannot read some parts of some files, or open them at all.
type badDisk struct {
	fsys.FS
	bad  map[string][][2]int64
	open map[string]error
}

type badFile struct {
	fsys.File
	bad [][2]int64
}

func (d *badDisk) Open(name string) (fsys.File, error) {
	if err := d.open[name]; err != nil {
		return nil, err
	}
	f, err := d.FS.Open(name)
	return badFile{f, d.bad[name]}, err
}

func (f badFile) ReadAt(b []byte, off int64) (int, error) {
	for _, r := range f.bad {
		if r[0] < off+int64(len(b)) && off < r[1] {
			return 0, syscall.EIO
		}
	}
	return f.File.ReadAt(b, off)
}

// A read error costs the records in its pages and no more.
func TestReadErrorIsPassedOver(t *testing.T) {
	mem := fsys.NewMemory()
	l := open(t, mem, Options{})
	var all []string
	for i := range 900 {
		s := fmt.Sprintf("%d %s", i, strings.Repeat("x", i*17%20_000))
		all = append(all, s)
		if _, _, err := l.Append(1, []byte(s)); err != nil {
			t.Fatal(err)
		}
		if i%300 == 299 {
			l.Rotate()
		}
	}
	l.Close()
	names := segments(t, mem) // three of 300 records
	for _, tc := range []struct {
		name    string
		segment int
		bad     [][2]int64
		most    int // records that may be lost
		ranges  int
	}{
		{"one byte", 0, [][2]int64{{500_000, 500_001}}, 5, 1},
		{"two places", 1, [][2]int64{{5_000, 5_001}, {2_000_000, 2_020_000}}, 30, 2},
		{"header", 1, [][2]int64{{0, 8}}, 5, 1},
		{"newest segment", len(names) - 1, [][2]int64{{5_000, 5_001}}, 5, 1},
		{"newest header", len(names) - 1, [][2]int64{{0, 1}}, 5, 1},
		{"all of one", 1, [][2]int64{{0, 1 << 40}}, 300, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			disk := &badDisk{FS: mem.Crash(nil), bad: map[string][][2]int64{names[tc.segment]: tc.bad}}
			l := open(t, disk, Options{})
			defer l.Close()
			got, rep := replay(t, l)
			if len(got) < len(all)-tc.most || len(got) >= len(all) {
				t.Errorf("%d of %d records, at most %d may be lost", len(got), len(all), tc.most)
			}
			if len(rep.Damaged) != tc.ranges || !strings.Contains(fmt.Sprint(rep.Damaged), syscall.EIO.Error()) || rep.Damaged[0].Segment != names[tc.segment] {
				t.Errorf("damage %v", rep.Damaged)
			}
			for _, d := range rep.Damaged {
				if d.From >= d.To {
					t.Errorf("no positions in %v", d)
				}
			}
			if _, err := appendWait(l, "goes on"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("context", func(t *testing.T) {
		l := open(t, mem.Crash(nil), Options{})
		defer l.Close()
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		_, err := l.Replay(ctx, func(Record) error {
			if n++; n == 5 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || n != 5 {
			t.Errorf("%v after %d records", err, n)
		}
	})
}

// A segment that cannot be opened is named; the log opens and goes on.
func TestSegmentThatCannotBeOpened(t *testing.T) {
	for n := range 6 {
		for _, cause := range []error{fs.ErrPermission, syscall.EIO, fs.ErrNotExist} {
			mem, all := filled(t)
			names := segments(t, mem)
			disk := &badDisk{FS: mem, open: map[string]error{names[n]: cause}}
			l := open(t, disk, Options{})
			got, rep := replay(t, l)
			if want := without(all, 4*n, 4*n+1, 4*n+2, 4*n+3); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("segment %d, %v: %d records, want %d", n, cause, len(got), len(want))
			}
			if len(rep.Damaged) != 1 || rep.Damaged[0].Segment != names[n] || !strings.Contains(rep.Damaged[0].Reason, cause.Error()) {
				t.Errorf("segment %d, %v: damage %v", n, cause, rep.Damaged)
			}
			if pos, err := appendWait(l, "goes on"); err != nil || pos < l.segs[5].end {
				t.Errorf("segment %d, %v: append at %d: %v", n, cause, pos, err)
			}
			l.Close()
			// Once it can be opened all is there.
			l = open(t, mem, Options{})
			if got, _ := replay(t, l); fmt.Sprint(got) != fmt.Sprint(append(all[:24:24], "goes on")) {
				t.Errorf("segment %d, %v: afterwards %d records", n, cause, len(got))
			}
			l.Close()
		}
	}
}
