package block

import (
	"context"
	"fmt"
	"hash/crc32"
)

// Open returns the block that meta describes. It reads nothing: the index is
// read, checked and kept in the cache when it is first needed. cache may be nil.
func Open(_ context.Context, objects Objects, meta *Meta, cache *Cache) (*Block, error) {
	index, ok := meta.Object(IndexObject)
	if !ok {
		return nil, fmt.Errorf("open block %s: %w", meta.Block, corruptf("no object %s", IndexObject))
	}
	if _, ok := meta.Object(DataObject); !ok {
		return nil, fmt.Errorf("open block %s: %w", meta.Block, corruptf("no object %s", DataObject))
	}
	b := newBlock(string(meta.Tenant), meta.Block, objects, cache, nil)
	b.meta = meta
	b.readIndex = func(ctx context.Context) (*Index, int64, error) {
		data, err := b.object(ctx, index)
		if err != nil {
			return nil, 0, err
		}
		x, err := DecodeIndex(data)
		if err != nil {
			return nil, 0, err
		}
		if uint64(x.Rows) != meta.Rows || uint64(len(x.Traces.IDs)) != meta.Traces || uint64(x.Traces.Normal) != meta.Normal.Traces {
			return nil, 0, corruptf("%d rows and %d traces: %s says %d and %d", x.Rows, len(x.Traces.IDs), MetaObject, meta.Rows, meta.Traces)
		}
		return x, x.cost() + int64(len(data)), nil // the index keeps parts of data
	}
	return b, nil
}

// Meta is what the block was opened with. Do not write.
func (b *Block) Meta() *Meta { return b.meta }

// object reads a whole object and checks it.
func (b *Block) object(ctx context.Context, o ObjectMeta) ([]byte, error) {
	data, err := b.read(ctx, o.Name, 0, o.Size)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(data, castagnoli) != o.CRC {
		return nil, errChecksum
	}
	return data, nil
}

// cost is about what the index takes in memory, in bytes.
func (x *Index) cost() int64 {
	n := int64(4096)
	for i := range x.Tables.Resources {
		n += int64(len(x.Tables.Resources[i].Raw)) + 80
	}
	for _, s := range x.Tables.Scopes {
		n += int64(len(s)) + 24
	}
	for i := range x.Tables.Shapes {
		n += int64(len(x.Tables.Shapes[i].Attrs))*24 + 32
	}
	for i := range x.RowGroups {
		g := &x.RowGroups[i]
		n += 200 + int64(len(g.Pages))*40 + int64(len(g.Shapes))*4
		for k := range g.Chunks {
			c := &g.Chunks[k]
			n += 100 + int64(len(c.Pages))*16
			for _, v := range c.Small {
				n += int64(len(v)) + 24
			}
		}
	}
	t := &x.Traces
	n += int64(len(t.IDs))*56 + int64(len(t.Services))*12
	for _, s := range t.Strings {
		n += int64(len(s)) + 16
	}
	for i := range x.Operations {
		n += 80
		for k := range x.Operations[i].Minutes {
			n += 48 + int64(len(x.Operations[i].Minutes[k].Durations))*8
		}
	}
	for i := range x.Edges {
		n += 80
		for k := range x.Edges[i].Minutes {
			n += 48 + int64(len(x.Edges[i].Minutes[k].Durations))*8
		}
	}
	return n + int64(len(x.HalfEdges))*96 + int64(len(x.Linked))*32 + int64(len(x.Names))*64
}
