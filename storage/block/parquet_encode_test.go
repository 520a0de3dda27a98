package block

import (
	"math/rand/v2"
	"testing"
)

// TestEncodings decodes what the encoders make with the decoders of the read
// side, which have their own tests against other writers.
func TestEncodings(t *testing.T) {
	for seed := range uint64(shorter(4000, 400)) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := 1 + r.IntN(300)
		if seed%50 == 0 {
			n = 1 + r.IntN(5000)
		}
		// Levels: stretches of one density each.
		present := make([]byte, (n+7)/8)
		share := r.Float64()
		want := 0
		for i := range n {
			if r.IntN(40) == 0 {
				share = []float64{0, 1, r.Float64()}[r.IntN(3)]
			}
			if r.Float64() < share {
				present[i/8] |= 1 << (i % 8)
				want++
			}
		}
		body := appendLevels(nil, present, n)
		got := newBitmap(n)
		set, rest, ok := decodeLevels(got, 0, n, append(body, 7))
		if !ok || set != want || len(rest) != 1 {
			t.Fatalf("seed %d: levels: %d of %d, %d bytes left, %t", seed, set, want, len(rest), ok)
		}
		for i := range n {
			if got.get(i) != (present[i/8]>>(i%8)&1 != 0) {
				t.Fatalf("seed %d: level %d", seed, i)
			}
		}
		// Codes.
		limit := 1 + int(r.Uint32()>>r.IntN(32)>>1)
		codes := make([]uint32, n)
		c := uint32(0)
		for i := range codes {
			if r.IntN(8) == 0 || share > 0.8 {
				c = r.Uint32N(uint32(limit))
			}
			codes[i] = c
		}
		back := make([]uint32, n)
		if !decodeCodes(back, appendCodes(nil, codes, codeWidth(limit)), limit) {
			t.Fatalf("seed %d: %d codes below %d do not decode", seed, n, limit)
		}
		for i := range codes {
			if back[i] != codes[i] {
				t.Fatalf("seed %d: code %d: %d, want %d", seed, i, back[i], codes[i])
			}
		}
		// Deltas of all sizes.
		vals, dec := make([]uint64, n), make([]int64, n)
		shift := r.IntN(64)
		for i := range vals {
			vals[i] = r.Uint64() >> shift
			if r.IntN(200) == 0 {
				shift = r.IntN(64)
			}
		}
		if !decodeDelta(dec, appendDelta(nil, vals)) {
			t.Fatalf("seed %d: %d deltas do not decode", seed, n)
		}
		for i := range vals {
			if uint64(dec[i]) != vals[i] {
				t.Fatalf("seed %d: delta %d: %d, want %d", seed, i, dec[i], vals[i])
			}
		}
	}
}
