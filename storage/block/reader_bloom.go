package block

import (
	"context"
	"fmt"

	"github.com/clewtrace/clew/storage/trace"
)

// bloomFront is the part of a bloom object that says that a trace is not there,
// as the bytes that it came in.
type bloomFront struct {
	header *BloomHeader
	bytes  []byte
	tail   []byte // as it is stored, if it came along; else nil
}

// wholeBloom is up to which size a bloom object is read whole where requests
// cost time: a look-up that goes on saves one, and one that ends there has read
// no more than it may.
const wholeBloom = 100 << 10

// bloom returns the front of bloom-n. Most look-ups end there, so that the tail
// of a large object, or of a file, is read by those alone that go on.
func (b *Block) bloom(ctx context.Context, n int) (*bloomFront, error) {
	f, err := load(ctx, b.cache, b.key(partBloom, n, 0), func() (*bloomFront, int64, error) {
		probe, length := b.meta.Blooms[n].Probe, b.meta.Blooms[n].Probe
		if size := b.meta.Blooms[n].Size; !b.local() && size <= wholeBloom {
			length = size
		}
		data, err := b.read(ctx, BloomObject(n), 0, length)
		if err != nil {
			return nil, 0, err
		}
		f := &bloomFront{bytes: data[:probe:probe]}
		if length > probe {
			f.tail = data[probe:]
		}
		if f.header, err = ParseBloomHeader(f.bytes); err == nil {
			err = f.header.Check(f.bytes)
		}
		return f, int64(len(data)) + 128, err
	})
	if err != nil {
		return nil, b.bloomError(n, err)
	}
	return f, nil
}

// shard returns the tail of bloom-n.
func (b *Block) shard(ctx context.Context, n int, f *bloomFront) (*BloomTail, error) {
	t, err := load(ctx, b.cache, b.key(partShard, n, 0), func() (*BloomTail, int64, error) {
		h, stored := f.header, f.tail
		if stored == nil {
			var err error
			if stored, err = b.read(ctx, BloomObject(n), h.Probe(), h.TailLength); err != nil {
				return nil, 0, err
			}
		}
		t, err := h.DecodeTail(stored)
		if err != nil {
			return nil, 0, err
		}
		return t, t.Index.cost() + int64(len(t.PageIDs))*16, nil
	})
	if err != nil {
		return nil, b.bloomError(n, err)
	}
	return t, nil
}

func (b *Block) bloomError(n int, err error) error {
	return fmt.Errorf("open block %s: %s: %w", b.id, BloomObject(n), err)
}

// place is where rows of a trace can be.
type place struct {
	x        *Index
	group    int // number in the block of x.RowGroups[0]
	from, to int // pages that may have rows of the trace, numbered through x
}

// locate finds where a part of the block can have rows of a trace, by its bloom
// objects: found is false if there are none.
func (b *Block) locate(ctx context.Context, wild bool, id *trace.ID) (p place, found bool, err error) {
	if b.given != nil {
		return b.locateGiven(wild, id)
	}
	for n := range b.meta.Blooms {
		m := &b.meta.Blooms[n]
		if m.Wild != wild || compareIDs(id, &m.IDs.Min) < 0 || compareIDs(id, &m.IDs.Max) > 0 {
			continue
		}
		f, err := b.bloom(ctx, n)
		if err != nil {
			return p, false, err
		}
		if !f.header.MayHold(f.bytes, id) {
			return p, false, nil
		}
		t, err := b.shard(ctx, n, f)
		if err != nil {
			return p, false, err
		}
		from, to := t.Pages(id)
		return place{x: &t.Index, group: t.FirstGroup, from: from, to: to}, from < to, nil
	}
	return p, false, nil
}

// locateGiven looks into the trace table instead.
func (b *Block) locateGiven(wild bool, id *trace.ID) (p place, found bool, err error) {
	t := &b.given.Traces
	from, to := 0, t.Normal
	if wild {
		from, to = t.Normal, len(t.IDs)
	}
	at := seek(t.IDs, id, from, to)
	if at == to || t.IDs[at] != *id {
		return p, false, nil
	}
	p, first, end, page := place{x: b.given, from: -1}, t.FirstRow[at], t.FirstRow[at+1], 0
	for i := range b.given.RowGroups {
		for k := range b.given.RowGroups[i].Pages {
			if z := &b.given.RowGroups[i].Pages[k]; z.FirstRow+z.Rows > first && z.FirstRow < end {
				if p.from < 0 {
					p.from = page
				}
				p.to = page + 1
			}
			page++
		}
	}
	return p, true, nil
}
