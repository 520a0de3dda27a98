package block

import (
	"context"
	"testing"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// TestLookupReads counts what look-ups by ID read of a block. On a store: one
// bloom object, and if the trace may be there one row group. Of files: the front
// of the bloom object, its tail, and pages.
func TestLookupReads(t *testing.T) {
	s := randomSet(t, 43, 400)
	opts := testOptions()
	opts.RowGroupRows, opts.PageRows = 1000, 50
	objects, meta := writeSet(t, s, opts)
	for _, from := range []Objects{objects, localMemory{objects}} {
		cache := newTestCache(t, 64<<20)
		b, err := Open(context.Background(), from, meta, cache)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := b.Parts(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ids, _, err := parts[0].(storage.Sorted).TraceIDs(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		cache.Wait()
		ask := func(id trace.ID) (*Usage, bool) {
			var u Usage
			_, found, err := parts[0].Fragment(WithUsage(context.Background(), &u), nil, id)
			if err != nil {
				t.Fatal(err)
			}
			cache.Wait()
			return &u, found
		}
		unknown := ids[len(ids)/2]
		unknown[15]++
		front := int64(meta.Blooms[0].Probe)
		tail := int64(meta.Blooms[0].Size) - front
		if !b.local() {
			front, tail = front+tail, 0 // come together
		}
		if u, found := ask(unknown); found || u.Gets.Load() != 1 || u.Bytes.Load() != front {
			t.Errorf("unknown ID: found %t, %d requests, %d bytes, want 1 of %d", found, u.Gets.Load(), u.Bytes.Load(), front)
		}
		if u, found := ask(trace.ID{}); found || u.Gets.Load() != 0 {
			t.Errorf("ID out of range: found %t, %d requests", found, u.Gets.Load())
		}
		u, found := ask(ids[0])
		if !b.local() && (!found || u.Gets.Load() != 1) || b.local() && (!found || u.Gets.Load() < 2) {
			t.Errorf("known ID: found %t, %d requests", found, u.Gets.Load())
		}
		if group := u.Bytes.Load() - tail; b.local() && group*2 > int64(meta.Objects[0].Size) {
			t.Errorf("of a file of %d bytes %d were read", meta.Objects[0].Size, group)
		}
		if u, found := ask(ids[0]); !found || !b.local() && u.Gets.Load() != 0 {
			t.Errorf("again: found %t, %d requests", found, u.Gets.Load())
		}
	}
}
