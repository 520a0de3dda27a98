package wal

import (
	"context"
	"fmt"
	"testing"

	"github.com/clewtrace/clew/storage/fsys"
)

// A record may be dropped before it is durable, or before replay has come to it.
func TestDropEarly(t *testing.T) {
	mem := fsys.NewMemory()
	gate := make(chan struct{})
	l := open(t, &watched{FS: mem, write: func(int) { <-gate }}, Options{})
	pos, c, err := l.Append(1, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	l.Drop(pos)
	close(gate)
	if err := c.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	kept, _ := appendWait(l, "kept")
	l.Rotate()
	if live := l.Stats().LiveBytes; live != recordHeader+4 {
		t.Errorf("%d bytes live", live)
	}
	l.Close()
	l = open(t, mem, Options{})
	defer l.Close()
	l.Drop(kept)
	l.Drop(pos)
	if got, _ := replay(t, l); len(got) == 0 {
		t.Error("nothing replayed") // dropped, but still in its segment
	}
	if _, err := appendWait(l, "next"); err != nil {
		t.Fatal(err)
	}
	eventually(t, l, "all old records are dropped", func(st Stats) bool { return st.Segments == 1 && st.LiveBytes == recordHeader+4 })
}

// The record of a deletion must not make the next thing to delete, for ever.
func TestDeletionComesToRest(t *testing.T) {
	l := open(t, fsys.NewMemory(), Options{SegmentBytes: 1})
	defer l.Close()
	for i := range 50 {
		pos, err := appendWait(l, fmt.Sprint("record ", i))
		if err != nil {
			t.Fatal(err)
		}
		l.Drop(pos)
	}
	l.Rotate()
	eventually(t, l, "all was dropped", func(st Stats) bool { return atRest(l) && st.LiveBytes == 0 && st.Segments <= 2 })
	n := l.Stats().Fsyncs
	if n > 250 {
		t.Errorf("%d fsyncs for 50 records", n)
	}
}
