package wal

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/clewtrace/clew/storage/fsys"
)

// filled is a log of six segments with four records in each, closed.
func filled(t *testing.T) (mem *fsys.Memory, all []string) {
	t.Helper()
	mem = fsys.NewMemory()
	l := open(t, mem, Options{})
	for s := range 6 {
		for r := range 4 {
			data := fmt.Sprintf("segment %d record %d %s", s, r, strings.Repeat("x", 100*r))
			if _, err := appendWait(l, data); err != nil {
				t.Fatal(err)
			}
			all = append(all, data)
		}
		l.Rotate()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return mem, all
}

func segments(t *testing.T, f fsys.FS) (names []string) {
	t.Helper()
	all, err := f.ReadDir("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if _, ok := parseSegmentName(n); ok {
			names = append(names, path.Join("log", n))
		}
	}
	return names
}

// without returns all but the records that are named.
func without(all []string, lost ...int) (left []string) {
next:
	for i, s := range all {
		for _, n := range lost {
			if i == n {
				continue next
			}
		}
		left = append(left, s)
	}
	return left
}

func TestMissingSegmentIsNamed(t *testing.T) {
	for n := range 5 {
		mem, all := filled(t)
		names := segments(t, mem)
		if err := mem.Remove(names[n]); err != nil {
			t.Fatal(err)
		}
		from, _ := parseSegmentName(path.Base(names[n]))
		to, _ := parseSegmentName(path.Base(names[n+1]))
		for range 2 { // as long as no segment was started
			l := open(t, mem, Options{})
			got, rep := replay(t, l)
			l.Close()
			if len(rep.Damaged) != 1 {
				t.Fatalf("segment %d: damage %v", n, rep.Damaged)
			}
			if d := rep.Damaged[0]; d.Segment != names[n] || d.From != from || d.To != to || !strings.Contains(d.Reason, "missing") {
				t.Errorf("segment %d: damage %v, want positions %d to %d", n, d, from, to)
			}
			if want := without(all, 4*n, 4*n+1, 4*n+2, 4*n+3); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("segment %d: got %.10q", n, got)
			}
		}
		// A segment that is started before replay has named the loss keeps it.
		l := open(t, mem, Options{})
		appendWait(l, "before replay")
		l.Close()
		l = open(t, mem, Options{})
		if _, rep := replay(t, l); len(rep.Damaged) != 1 {
			t.Errorf("segment %d: damage %v", n, rep.Damaged)
		}
		appendWait(l, "after replay")
		l.Close()
		l = open(t, mem, Options{})
		if _, rep := replay(t, l); len(rep.Damaged) != 0 {
			t.Errorf("segment %d: named again: %v", n, rep.Damaged)
		}
		l.Close()
	}
}

// A segment whose records were all dropped is gone without a word, also when a
// power cut brings its file back.
func TestDeletedSegmentIsNotMissed(t *testing.T) {
	mem, all := filled(t)
	l := open(t, mem, Options{})
	var pos []Position
	l.Replay(context.Background(), func(r Record) error { pos = append(pos, r.Position); return nil })
	name := l.segs[2].name
	saved := readAll(t, mem, name)
	for _, p := range pos[8:12] {
		l.Drop(p)
	}
	eventually(t, l, "segment 2 was dropped", func(st Stats) bool {
		_, err := mem.Size(name)
		return err != nil && st.Segments == 6
	})
	l.Close()
	for _, again := range []bool{false, true} {
		if again {
			f, err := mem.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			f.Write(saved)
		}
		l = open(t, mem, Options{})
		got, rep := replay(t, l)
		if want := without(all, 8, 9, 10, 11); len(rep.Damaged) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("file is back %v: got %.10q, damage %v", again, got, rep.Damaged)
		}
		if n := len(segments(t, mem)); n != 6 {
			t.Errorf("file is back %v: %d segments", again, n)
		}
		l.Close()
	}
}

func readAll(t *testing.T, f fsys.FS, name string) []byte {
	t.Helper()
	g, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := g.Size()
	b := make([]byte, size)
	if _, err := g.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// The end of a sealed segment is proven: wherever it is cut, also between two
// records, the rest is named.
func TestCutSegmentIsNamed(t *testing.T) {
	mem, all := filled(t)
	name := segments(t, mem)[2]
	whole := readAll(t, mem, name)
	head := len(whole)
	for _, s := range all[8:12] {
		head -= recordHeader + len(s)
	}
	for size := len(whole) - 1; size >= head; size -= 13 {
		mem, _ := filled(t)
		f, _ := mem.Open(name)
		f.Truncate(int64(size))
		kept, end := 0, head
		for _, s := range all[8:12] {
			if end += recordHeader + len(s); end > size {
				break
			}
			kept++
		}
		l := open(t, mem, Options{})
		got, rep := replay(t, l)
		l.Close()
		var lost []int
		for i := 8 + kept; i < 12; i++ {
			lost = append(lost, i)
		}
		if want := without(all, lost...); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("cut to %d: got %d records, want %d", size, len(got), len(want))
		}
		named := int64(0)
		for _, d := range rep.Damaged {
			named += d.Bytes
			if d.Segment != name {
				t.Errorf("cut to %d: damage %v", size, d)
			}
		}
		if want := int64(len(whole) - head - sum(all[8:8+kept])); named != want {
			t.Errorf("cut to %d: %d bytes named, want %d: %v", size, named, want, rep.Damaged)
		}
	}
}

func sum(records []string) (n int) {
	for _, s := range records {
		n += recordHeader + len(s)
	}
	return n
}

// A page of an unsynced batch that did not reach the disk is no damage, now or
// later; a bad page below the synced mark is.
func TestTornPageBeforeSoundRecord(t *testing.T) {
	for _, synced := range []bool{false, true} {
		mem := fsys.NewMemory()
		l := open(t, mem, Options{})
		appendWait(l, "acknowledged")
		l.mu.Lock()
		c := l.fill.commit
		var places []Position
		for _, s := range []string{"one", "two", "three"} { // one batch
			places = append(places, l.queueLocked(recordHead{kind: 1, length: len(s), dataCRC: crc(s)}, []byte(s)))
		}
		l.mu.Unlock()
		<-c.done
		name := l.segs[0].name
		off := l.segs[0].offset(places[1])
		if synced { // a later batch knows
			appendWait(l, "later")
		}
		mem = mem.Crash(nil)
		l.Close()
		mem.Corrupt(name, func(b []byte) { clear(b[off : off+10]) })
		want := "[acknowledged one three]"
		if synced {
			want = "[acknowledged one three later]"
		}
		for life := range 3 {
			l = open(t, mem, Options{})
			got, rep := replay(t, l)
			if fmt.Sprint(got) != want {
				t.Errorf("synced %v, life %d: got %q", synced, life, got)
			}
			if damaged := len(rep.Damaged) > 0; damaged != synced {
				t.Errorf("synced %v, life %d: damage %v", synced, life, rep.Damaged)
			}
			if torn := len(rep.Torn) > 0; torn != (!synced && life == 0) {
				t.Errorf("synced %v, life %d: torn %v", synced, life, rep.Torn)
			}
			if life == 1 {
				appendWait(l, "seals")
				want = strings.TrimSuffix(want, "]") + " seals]"
			}
			l.Close()
		}
	}
}
