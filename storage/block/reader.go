package block

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/oklog/ulid/v2"
)

// Names of the objects of a block that have only one.
const (
	DataObject  = "data.parquet"
	IndexObject = "index"
)

// Objects reads the objects of one block.
type Objects interface {
	// ReadRange returns the length bytes of the object from off on. The caller
	// may keep them, and does not write.
	ReadRange(ctx context.Context, object string, off, length int64) ([]byte, error)
}

// Usage counts what a query reads. Its fields may be read while it runs.
type Usage struct {
	Gets, Bytes atomic.Int64 // calls of Objects.ReadRange, and what they returned
	RowGroups   atomic.Int64 // row groups that were evaluated, not pruned
}

type usageKey struct{}

// WithUsage makes reads under the returned context count in u.
func WithUsage(ctx context.Context, u *Usage) context.Context {
	return context.WithValue(ctx, usageKey{}, u)
}

// usageOf returns where to count; never nil.
func usageOf(ctx context.Context) *Usage {
	if u, ok := ctx.Value(usageKey{}).(*Usage); ok {
		return u
	}
	return &Usage{}
}

// Block reads one block. It is safe for concurrent use and holds nothing but
// what the cache holds.
type Block struct {
	tenant  string
	id      ulid.ULID
	objects Objects
	cache   *Cache // may be nil
	meta    *Meta  // nil only in tests
	// readIndex decodes the index and says what it costs to keep.
	readIndex func(ctx context.Context) (*Index, int64, error)
}

// newBlock returns a block whose index comes from readIndex.
func newBlock(tenant string, id ulid.ULID, objects Objects, cache *Cache, readIndex func(context.Context) (*Index, int64, error)) *Block {
	return &Block{tenant: tenant, id: id, objects: objects, cache: cache, readIndex: readIndex}
}

func (b *Block) key(p part, i, j int) cacheKey {
	return cacheKey{b.tenant, b.id, p, uint32(i), uint32(j)}
}

// index returns the decoded index.
func (b *Block) index(ctx context.Context) (*Index, error) {
	x, err := load(ctx, b.cache, b.key(partIndex, 0, 0), func() (*Index, int64, error) { return b.readIndex(ctx) })
	if err != nil {
		return nil, fmt.Errorf("open block %s: %s: %w", b.id, IndexObject, err)
	}
	return x, nil
}

// read reads a part of an object and counts it.
func (b *Block) read(ctx context.Context, object string, off, length uint64) ([]byte, error) {
	data, err := b.objects.ReadRange(ctx, object, int64(off), int64(length))
	u := usageOf(ctx)
	u.Gets.Add(1)
	u.Bytes.Add(int64(len(data)))
	if err != nil {
		return nil, err
	}
	if uint64(len(data)) != length {
		return nil, corruptf("%d bytes at %d: have %d", length, off, len(data))
	}
	return data, nil
}

// placed says where in the block something went wrong.
func (b *Block) placed(x *Index, group, col int, err error) error {
	return fmt.Errorf("open block %s: %s: row group %d, column %s: %w", b.id, DataObject, group, x.Columns[col].Name, err)
}
