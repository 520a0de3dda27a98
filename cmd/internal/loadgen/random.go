package loadgen

import (
	"math"
	"math/bits"
)

// random is a small fast generator of pseudo-random numbers (wyrand). The same
// seed gives the same numbers. Not for concurrent use.
type random struct{ state uint64 }

// newRandom spreads a seed over the whole state, so that neighbouring seeds
// give unrelated streams.
func newRandom(seed uint64) random {
	z := seed + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return random{state: z ^ z>>31}
}

func (r *random) uint64() uint64 {
	r.state += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(r.state, r.state^0xe7037ed1a0b428db)
	return hi ^ lo
}

// below returns a number in [0, n); n must be positive.
func (r *random) below(n uint32) uint32 {
	return uint32(r.uint64() >> 32 * uint64(n) >> 32)
}

// between returns a number in [lo, hi].
func (r *random) between(lo, hi uint32) uint32 {
	if hi <= lo {
		return lo
	}
	return lo + r.below(hi-lo+1)
}

// small returns a number in [0, n) where small numbers are likelier: the
// smaller half has three quarters of the weight.
func (r *random) small(n uint32) uint32 {
	v := r.uint64()
	return uint32((v >> 32) * (v & math.MaxUint32) >> 32 * uint64(n) >> 32)
}

// chance is a probability in units of 2^-32.
type chance uint32

// chanceOf converts a probability in [0, 1].
func chanceOf(p float64) chance {
	if p >= 1 {
		return math.MaxUint32
	}
	return chance(p * (1 << 32))
}

func (r *random) happens(c chance) bool {
	return c != 0 && uint32(r.uint64()>>32) <= uint32(c)
}

// spread holds the quantiles of a log-normal distribution with median 1 in
// 16.16 fixed point.
var spread = logNormalQuantiles(0.75)

func logNormalQuantiles(sigma float64) (q [1024]uint32) {
	for i := range q {
		p := (float64(i) + 0.5) / float64(len(q))
		x := math.Exp(sigma * math.Sqrt2 * math.Erfinv(2*p-1))
		q[i] = uint32(math.Round(x * (1 << 16)))
	}
	return q
}

// duration returns nanoseconds around a median: log-normal, with one value in
// 200 between 4 and 64 times as long, as real services have.
func (r *random) duration(median uint64) uint64 {
	v := r.uint64()
	d := median * uint64(spread[v&1023]) >> 16
	d += d * (v >> 10 & 1023) >> 15 // up to 3 %, so that values do not repeat
	if v>>20&0xff == 0 {
		d <<= 2 + v>>28&3 + v>>32&1
	}
	return d + 1
}

// logUniform returns a number in [lo, hi] whose logarithm is about uniform.
func (r *random) logUniform(lo, hi uint64) uint64 {
	if hi <= lo {
		return lo
	}
	steps := bits.Len64(hi / max(lo, 1))
	v := r.uint64()
	base := max(lo, 1) << (v % uint64(max(steps, 1)))
	return min(base+(v>>8)%base, hi)
}

// zipf draws numbers in [0, n) with weights 1/(k+1)^s, by Vose's alias method:
// one look-up a draw.
type zipf struct {
	keep  []uint32 // chance to keep the column's own number
	alias []uint32
}

func newZipf(n int, s float64) *zipf {
	weights := make([]float64, n)
	sum := 0.0
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -s)
		sum += weights[i]
	}
	z := &zipf{keep: make([]uint32, n), alias: make([]uint32, n)}
	var under, over []int
	for i := range weights {
		weights[i] *= float64(n) / sum
		if weights[i] < 1 {
			under = append(under, i)
		} else {
			over = append(over, i)
		}
	}
	for len(under) > 0 && len(over) > 0 {
		u, o := under[len(under)-1], over[len(over)-1]
		under = under[:len(under)-1]
		z.keep[u], z.alias[u] = uint32(weights[u]*math.MaxUint32), uint32(o)
		weights[o] -= 1 - weights[u]
		if weights[o] < 1 {
			over = over[:len(over)-1]
			under = append(under, o)
		}
	}
	for _, i := range append(under, over...) {
		z.keep[i], z.alias[i] = math.MaxUint32, uint32(i)
	}
	return z
}

func (z *zipf) draw(r *random) uint32 {
	v := r.uint64()
	i := uint32(v >> 32 * uint64(len(z.keep)) >> 32)
	if uint32(v) <= z.keep[i] {
		return i
	}
	return z.alias[i]
}
