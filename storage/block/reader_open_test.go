package block

import (
	"context"
	"errors"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

func TestOpenDamaged(t *testing.T) {
	meta := &Meta{Block: ulid.ULID{1}, Tenant: "t", Rows: 1, Traces: 1, Normal: PartMeta{Rows: 1, Traces: 1},
		Objects: []ObjectMeta{{Name: DataObject, Size: 4}, {Name: IndexObject, Size: 4}, {Name: BloomObject(0), Size: 4}},
		Blooms:  []BloomMeta{{IDs: IDRange{trace.ID{1}, trace.ID{1}}, Traces: 1, Probe: 4, Size: 4}}}
	b, err := Open(context.Background(), memory{IndexObject: []byte("oops"), BloomObject(0): []byte("oops")}, meta, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := b.Parts(context.Background())
	if err != nil || len(parts) != 1 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	want := "open block " + meta.Block.String() + ": bloom-0: no bloom object: corrupt block"
	if _, _, err := parts[0].Fragment(context.Background(), nil, trace.ID{1}); !errors.Is(err, ErrCorrupt) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "open block " + meta.Block.String() + ": index: no index: corrupt block"
	if _, err := parts[0].Search(context.Background(), &storage.Query{}); !errors.Is(err, ErrCorrupt) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	meta.Blooms = nil
	if _, err := Open(context.Background(), memory{}, meta, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("without bloom objects: %v", err)
	}
	meta.Objects = meta.Objects[:1]
	if _, err := Open(context.Background(), memory{}, meta, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("without an index: %v", err)
	}
}
