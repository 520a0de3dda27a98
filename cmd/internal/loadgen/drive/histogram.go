package drive

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets 1/16 wide: a quantile is at most 6 %
// above the truth. The zero value is empty.
type histogram struct {
	buckets [64 * 16]uint32
	n       uint64
	max     time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.n++
	h.max = max(h.max, d)
}

// bucketOf numbers durations by their highest five bits.
func bucketOf(d time.Duration) int {
	v := uint64(max(d, 1))
	e := bits.Len64(v)
	if e <= 5 {
		return int(v)
	}
	return (e-4)*16 + int(v>>(e-5)&15)
}

// upper is the largest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < 32 {
		return time.Duration(bucket)
	}
	e := bucket/16 + 4
	return time.Duration(((16+uint64(bucket%16)+1)<<(e-5) - 1))
}

// quantile returns a duration that a share q of those added do not exceed, 0
// if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.n))
	for i, c := range h.buckets {
		if uint64(c) > rank {
			return min(upper(i), h.max)
		}
		rank -= uint64(c)
	}
	return h.max
}
