package block

import (
	"context"
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

// LocalObjects are Objects that may be files at hand. If Local says so, lookups
// by ID read the pages that they need and leave caching them to the file
// system; otherwise a whole row group with one request, which the Cache keeps.
type LocalObjects interface {
	Objects
	Local() bool
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
	gap     uint64 // bytes that may be read in vain to save a request
	// meta is what the block says of itself. Tests have blocks without, whose
	// whole index is given.
	meta  *Meta
	given *Index
}

func newBlock(tenant string, id ulid.ULID, objects Objects, cache *Cache) *Block {
	b := &Block{tenant: tenant, id: id, objects: objects, cache: cache, gap: mergeGap}
	if l, ok := objects.(LocalObjects); ok && l.Local() {
		b.gap = localGap
	}
	return b
}

// local reports whether requests cost next to nothing.
func (b *Block) local() bool { return b.gap == localGap }

// How many bytes may be read in vain to save a request: to a store, or to a file.
const (
	mergeGap = 128 << 10
	localGap = 8 << 10
)

func (b *Block) key(p part, i, j int) cacheKey {
	return cacheKey{b.tenant, b.id, p, uint32(i), uint32(j)}
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
