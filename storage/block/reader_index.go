package block

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/clewtrace/clew/storage/trace"
)

// The index is read in parts, each when a query first needs it, and each with
// its own place in the cache: to look for spans takes neither IDs nor times of
// traces, to look whether a trace is there takes IDs alone.

// searchSections is what looking for spans takes.
var searchSections = Sections(SectionTables, SectionShapes, SectionRowGroups, SectionPages, SectionNames)

func (b *Block) indexError(err error) error {
	return fmt.Errorf("open block %s: %s: %w", b.id, IndexObject, err)
}

// header returns the header of the index object.
func (b *Block) header(ctx context.Context) (*IndexHeader, error) {
	return load(ctx, b.cache, b.key(partHeader, 0, 0), func() (*IndexHeader, int64, error) {
		o, _ := b.meta.Object(IndexObject)
		data, err := b.read(ctx, IndexObject, 0, min(o.Size, IndexHeaderMax))
		if err != nil {
			return nil, 0, err
		}
		h, err := ParseIndexHeader(data)
		return h, IndexHeaderMax, err
	})
}

// sections reads and unpacks sections, those that lie near each other with one
// request. The result may share memory with what was read.
func (b *Block) sections(ctx context.Context, want SectionSet) (*rawSections, error) {
	h, err := b.header(ctx)
	if err != nil {
		return nil, err
	}
	raw := new(rawSections)
	for i := 0; i < len(h.Sections); {
		if !want.has(h.Sections[i].ID) {
			i++
			continue
		}
		from, to, next := h.Sections[i].Offset, h.Sections[i].Offset+h.Sections[i].Length, i+1
		for k := i + 1; k < len(h.Sections) && h.Sections[k].Offset <= to+b.gap; k++ {
			if want.has(h.Sections[k].ID) {
				to, next = h.Sections[k].Offset+h.Sections[k].Length, k+1
			}
		}
		var data []byte
		if to > from {
			if data, err = b.read(ctx, IndexObject, from, to-from); err != nil {
				return nil, err
			}
		}
		for ; i < next; i++ {
			if s := &h.Sections[i]; want.has(s.ID) && s.ID <= SectionNames {
				if raw[s.ID], err = s.unpack(data, from); err != nil {
					return nil, err
				}
			}
		}
	}
	return raw, nil
}

// index returns what searches need of the index, without the trace table.
func (b *Block) index(ctx context.Context) (*Index, error) {
	if b.given != nil {
		return b.given, nil
	}
	x, err := load(ctx, b.cache, b.key(partIndex, 0, 0), func() (*Index, int64, error) {
		raw, err := b.sections(ctx, searchSections)
		if err != nil {
			return nil, 0, err
		}
		x, err := raw.decode(searchSections)
		if err != nil {
			return nil, 0, err
		}
		if uint64(x.Rows) != b.meta.Rows {
			return nil, 0, corruptf("%d rows: %s says %d", x.Rows, MetaObject, b.meta.Rows)
		}
		return x, x.cost(), nil
	})
	if err != nil {
		return nil, b.indexError(err)
	}
	return x, nil
}

// ids returns the trace IDs of the block in the order of the trace table.
func (b *Block) ids(ctx context.Context) ([]trace.ID, error) {
	if b.given != nil {
		return b.given.Traces.IDs, nil
	}
	ids, err := load(ctx, b.cache, b.key(partTraceIDs, 0, 0), func() ([]trace.ID, int64, error) {
		raw, err := b.sections(ctx, 1<<SectionTraceIDs)
		if err != nil {
			return nil, 0, err
		}
		data := raw[SectionTraceIDs]
		if uint64(len(data)) != 16*b.meta.Traces {
			return nil, 0, corruptf("%d bytes of trace IDs: %s says %d traces", len(data), MetaObject, b.meta.Traces)
		}
		// The bytes are the IDs, one behind the other.
		return unsafe.Slice((*trace.ID)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/16), int64(len(data)), nil
	})
	if err != nil {
		return nil, b.indexError(err)
	}
	return ids, nil
}

// operations returns the operations of the block, without counts.
func (b *Block) operations(ctx context.Context) ([]OperationStats, error) {
	if b.given != nil {
		return b.given.Operations, nil
	}
	ops, err := load(ctx, b.cache, b.key(partOperations, 0, 0), func() ([]OperationStats, int64, error) {
		raw, err := b.sections(ctx, 1<<SectionOperations)
		if err != nil {
			return nil, 0, err
		}
		x, err := raw.decode(1 << SectionOperations)
		if err != nil {
			return nil, 0, err
		}
		for i := range x.Operations {
			x.Operations[i].Minutes = nil
		}
		return x.Operations, int64(len(x.Operations))*80 + int64(len(raw[SectionOperations])), nil
	})
	if err != nil {
		return nil, b.indexError(err)
	}
	return ops, nil
}

// cost is about what a search index takes in memory, in bytes.
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
	return n + int64(len(x.Names))*64
}
