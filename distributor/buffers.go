package distributor

import (
	"io"
	"math/bits"
	"sync"

	"google.golang.org/grpc/mem"
)

// Buffers come in powers of two from minBuffer up.
const (
	minBufferBits = 11 // gRPC does not give back buffers of 1 KiB or less
	minBuffer     = 1 << minBufferBits
)

// bufferPool lends the buffers of requests: those that gRPC reads frames into,
// whole requests, and compressed payloads. A buffer is not cleared; whoever
// takes one writes it before reading it.
//
// What has been given back is kept until two garbage collections have passed
// without a use for it, so the pool holds at most what was lent at one time
// shortly before. Buffers above limit are not kept.
type bufferPool struct {
	classes []sync.Pool // of *[]byte with a capacity of minBuffer<<index
}

var _ mem.BufferPool = (*bufferPool)(nil)

// newBufferPool returns a pool of buffers up to limit bytes or a little more.
func newBufferPool(limit int) *bufferPool {
	return &bufferPool{classes: make([]sync.Pool, class(limit)+1)}
}

// class is the smallest class whose buffers have n bytes.
func class(n int) int {
	if n <= minBuffer {
		return 0
	}
	return bits.Len(uint(n-1)) - minBufferBits
}

// Get implements mem.BufferPool.
func (p *bufferPool) Get(n int) *[]byte {
	c := class(n)
	if c >= len(p.classes) {
		b := make([]byte, n)
		return &b
	}
	if b, ok := p.classes[c].Get().(*[]byte); ok {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n, minBuffer<<c)
	return &b
}

// Put implements mem.BufferPool. Nobody may use the buffer afterwards.
func (p *bufferPool) Put(b *[]byte) {
	n := cap(*b)
	if n < minBuffer || n&(n-1) != 0 {
		return
	}
	if c := class(n); c < len(p.classes) {
		p.classes[c].Put(b)
	}
}

// readAll reads r to its end, or to limit bytes and one more, into a buffer of
// the pool. hint is how long it may be. On an error there is no buffer.
func (p *bufferPool) readAll(r io.Reader, hint, limit int) (*[]byte, error) {
	b := p.Get(max(min(hint, limit)+1, minBuffer)) // one more to see the end
	n := 0
	for {
		full := (*b)[:min(cap(*b), limit+1)]
		if n == len(full) {
			if n > limit {
				*b = full
				return b, nil
			}
			larger := p.Get(2 * n)
			copy(*larger, full)
			p.Put(b)
			b = larger
			continue
		}
		k, err := r.Read(full[n:])
		n += k
		if err == io.EOF {
			*b = full[:n]
			return b, nil
		}
		if err != nil {
			p.Put(b)
			return nil, err
		}
	}
}
