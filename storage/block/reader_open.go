package block

import (
	"context"
	"fmt"
)

// Open returns the block that meta describes. It reads nothing: what is needed
// of the other objects is read, checked and kept in the cache when it is first
// needed. cache may be nil.
func Open(_ context.Context, objects Objects, meta *Meta, cache *Cache) (*Block, error) {
	for _, name := range []string{IndexObject, DataObject} {
		if _, ok := meta.Object(name); !ok {
			return nil, fmt.Errorf("open block %s: %w", meta.Block, corruptf("no object %s", name))
		}
	}
	// A trace that no bloom object covers would never be found.
	var normal, wild uint64
	for i := range meta.Blooms {
		if meta.Blooms[i].Wild {
			wild += meta.Blooms[i].Traces
		} else {
			normal += meta.Blooms[i].Traces
		}
	}
	if normal != meta.Normal.Traces || wild != meta.Wild.Traces {
		return nil, fmt.Errorf("open block %s: %w", meta.Block, corruptf("bloom objects of %d normal and %d wild traces: want %d and %d",
			normal, wild, meta.Normal.Traces, meta.Wild.Traces))
	}
	b := newBlock(string(meta.Tenant), meta.Block, objects, cache)
	b.meta = meta
	return b, nil
}

// Meta is what the block was opened with. Do not write.
func (b *Block) Meta() *Meta { return b.meta }
