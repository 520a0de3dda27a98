package block

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// DefaultCacheBytes is the budget of a Cache unless the configuration says
// otherwise.
const DefaultCacheBytes = 256 << 20

// Cache keeps decoded parts of blocks within a budget of bytes, for all blocks
// of all tenants of a process. A nil *Cache keeps nothing. It is safe for
// concurrent use.
type Cache struct {
	store   *ristretto.Cache[uint64, *cacheEntry]
	seed    maphash.Seed
	metrics *cacheMetrics

	mu      sync.Mutex // guards flights
	flights map[cacheKey]*flight
}

// cacheKey names one part of one block. Tenant and block are in every key, and
// a hit is one only if the whole key is equal.
type cacheKey struct {
	tenant string
	block  ulid.ULID
	part   part
	a, b   uint32 // shard; row group and column
}

// part is what a cache entry holds.
type part uint8

const (
	partHeader     part = iota // *IndexHeader
	partIndex                  // *Index without its trace table and statistics
	partTraceIDs               // []trace.ID
	partTraces                 // *traces
	partOperations             // []OperationStats
	partBloom                  // *bloomFront, by shard
	partShard                  // *BloomTail, by shard
	partRowGroup               // []byte, by row group: its bytes in data.parquet
	partDict                   // *values, by row group and column
	partVector                 // *Vector, by row group and column
	numParts
)

func (p part) String() string {
	return [numParts]string{"index_header", "index", "trace_ids", "traces", "operations", "bloom", "shard", "row_group", "dictionary", "column"}[p]
}

type cacheEntry struct {
	key cacheKey
	val any
}

// flight is one load that others wait for.
type flight struct {
	done chan struct{} // closed when val and err are set
	val  any
	err  error
}

// NewCache returns a cache of at most the given bytes of decoded data. Close
// ends its goroutines.
func NewCache(bytes int64, reg prometheus.Registerer) (*Cache, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("block cache of %d bytes: want more than none", bytes)
	}
	c := &Cache{seed: maphash.MakeSeed(), flights: map[cacheKey]*flight{}}
	store, err := ristretto.NewCache(&ristretto.Config[uint64, *cacheEntry]{
		NumCounters:        max(bytes/(4<<10), 1<<10), // ten for each entry of 40 KiB
		MaxCost:            bytes,
		BufferItems:        64,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("block cache: %w", err)
	}
	c.store, c.metrics = store, newCacheMetrics(reg, store)
	return c, nil
}

// Close empties the cache. It must not be used afterwards.
func (c *Cache) Close() { c.store.Close() }

// Wait returns when everything that was kept before can be found. Keeping is
// asynchronous; tests and benchmarks need this, queries do not.
func (c *Cache) Wait() { c.store.Wait() }

func (c *Cache) hash(k *cacheKey) uint64 { return maphash.Comparable(c.seed, *k) }

func (c *Cache) get(k *cacheKey) (any, bool) {
	e, ok := c.store.Get(c.hash(k))
	if !ok || e.key != *k {
		return nil, false
	}
	return e.val, true
}

// has reports whether k is there.
func (c *Cache) has(k *cacheKey) bool {
	if c == nil {
		return false
	}
	_, ok := c.get(k)
	return ok
}

// load returns what the cache has for k, or what read returns together with
// its cost in bytes. Reads of one key at the same time are one; a reader that
// is cancelled does not fail those that wait for it.
func load[T any](ctx context.Context, c *Cache, k cacheKey, read func() (T, int64, error)) (T, error) {
	var zero T
	if c == nil {
		v, _, err := read()
		return v, err
	}
	if v, ok := c.get(&k); ok {
		c.metrics.hits[k.part].Inc()
		return v.(T), nil
	}
	c.metrics.misses[k.part].Inc()
	for {
		c.mu.Lock()
		f := c.flights[k]
		if f == nil {
			f = &flight{done: make(chan struct{}), err: errors.New("block cache: load did not return")}
			c.flights[k] = f
			c.mu.Unlock()
			v, err := lead(c, k, f, read)
			return v, err
		}
		c.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return zero, ctx.Err()
		}
		if f.err == nil {
			return f.val.(T), nil
		}
		if ctx.Err() != nil || !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return zero, f.err
		}
	}
}

// lead reads for itself and for those that wait for f.
func lead[T any](c *Cache, k cacheKey, f *flight, read func() (T, int64, error)) (T, error) {
	defer func() {
		c.mu.Lock()
		delete(c.flights, k)
		c.mu.Unlock()
		close(f.done)
	}()
	v, cost, err := read()
	f.val, f.err = v, err
	if err == nil {
		c.store.Set(c.hash(&k), &cacheEntry{k, v}, cost+128)
	}
	return v, err
}
