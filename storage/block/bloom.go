package block

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sort"

	"github.com/bits-and-blooms/bloom/v3"

	"github.com/clewtrace/clew/storage/trace"
)

// A bloom object covers a contiguous range of trace IDs and so of rows:
//
//	"CLEWBLOM" | version u16 | 0 u16 | k u32 | bits m u64, a multiple of 64 |
//	traces u64 | tail: codec u16, 0 u16, crc32c u32, length u64, raw length u64 |
//	crc32c u32 of the words | crc32c u32 of all before it |
//	m/64 words u64 | tail
//
// The bits come before the tail, so that the front of the object (BloomMeta.Probe
// bytes) tells that a trace is not there. Hashing is that of
// bits-and-blooms/bloom v3 (murmur3) over the 16 bytes of the trace ID.

const (
	bloomMagic   = "CLEWBLOM"
	bloomVersion = 1

	bloomHeaderSize = 64

	// falsePositives is the rate for which filters are sized: 14.4 bits a trace.
	falsePositives = 0.001
	// maxShardTraces makes the filter of a shard at most 54 KB. With a tail of
	// usual size the whole object is at most 100 KB: one request.
	maxShardTraces = 30_000
	// maxBloomHashes bounds what a damaged header may ask for.
	maxBloomHashes = 64
)

// BloomHeader is the decoded header of a bloom object.
type BloomHeader struct {
	Hashes uint32 // k
	Bits   uint64 // m
	Traces uint64

	TailCodec           uint16
	TailCRC, wordsCRC   uint32
	TailLength, TailRaw uint64
}

// Probe is how many bytes from the start of the object Test needs; the tail
// follows them.
func (h *BloomHeader) Probe() uint64 { return bloomHeaderSize + h.Bits/8 }

// ParseBloomHeader reads the header from the front of a bloom object.
func ParseBloomHeader(b []byte) (*BloomHeader, error) {
	if len(b) < bloomHeaderSize || string(b[:8]) != bloomMagic {
		return nil, corruptf("no bloom object")
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v != bloomVersion {
		return nil, fmt.Errorf("bloom object of version %d: %w", v, ErrNewer)
	}
	if crc32.Checksum(b[:bloomHeaderSize-4], castagnoli) != binary.LittleEndian.Uint32(b[bloomHeaderSize-4:]) {
		return nil, fmt.Errorf("bloom header: %w", errChecksum)
	}
	h := &BloomHeader{
		Hashes: binary.LittleEndian.Uint32(b[12:]), Bits: binary.LittleEndian.Uint64(b[16:]),
		Traces: binary.LittleEndian.Uint64(b[24:]), TailCodec: binary.LittleEndian.Uint16(b[32:]),
		TailCRC: binary.LittleEndian.Uint32(b[36:]), TailLength: binary.LittleEndian.Uint64(b[40:]),
		TailRaw: binary.LittleEndian.Uint64(b[48:]), wordsCRC: binary.LittleEndian.Uint32(b[56:]),
	}
	if h.Hashes == 0 || h.Hashes > maxBloomHashes || h.Bits == 0 || h.Bits%64 != 0 || h.Bits > maxPageBytes || h.TailLength > maxPageBytes {
		return nil, corruptf("bloom filter of %d bits, %d hashes", h.Bits, h.Hashes)
	}
	return h, nil
}

// Check verifies the checksum of the bits. front is the object's first Probe
// bytes or more.
func (h *BloomHeader) Check(front []byte) error {
	if uint64(len(front)) < h.Probe() {
		return corruptf("bloom filter of %d bits in %d bytes", h.Bits, len(front))
	}
	if crc32.Checksum(front[bloomHeaderSize:h.Probe()], castagnoli) != h.wordsCRC {
		return fmt.Errorf("bloom filter: %w", errChecksum)
	}
	return nil
}

// MayHold reports whether the shard may hold a trace; false is certain. front
// is as for Check, which must have passed: nothing is verified here, and nothing
// built, so that a filter can be kept as the bytes that it came in.
func (h *BloomHeader) MayHold(front []byte, id *trace.ID) bool {
	words := front[bloomHeaderSize:]
	for _, l := range bloom.Locations(id[:], uint(h.Hashes)) {
		bit := l % h.Bits
		if words[bit/8]>>(bit%8)&1 == 0 { // words are little endian: bit i is in byte i/8
			return false
		}
	}
	return true
}

// appendBloom appends a bloom object for the given traces.
func appendBloom(dst []byte, ids func(yield func(*trace.ID) bool), n int, tail packed) []byte {
	m, k := bloom.EstimateParameters(uint(max(n, 1)), falsePositives)
	m = (m + 63) / 64 * 64
	filter := bloom.New(m, k)
	for id := range ids {
		filter.Add(id[:])
	}
	words := make([]byte, 0, m/8)
	for _, w := range filter.BitSet().Words() {
		words = binary.LittleEndian.AppendUint64(words, w)
	}
	start := len(dst)
	dst = append(dst, bloomMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, bloomVersion)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(k))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	dst = binary.LittleEndian.AppendUint16(dst, tail.codec)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(tail.stored, castagnoli))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(tail.stored)))
	dst = binary.LittleEndian.AppendUint64(dst, tail.raw)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(words, castagnoli))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	dst = append(dst, words...)
	return append(dst, tail.stored...)
}

// BloomsFor returns the numbers of the bloom objects whose range of IDs covers
// id: at most one of the normal and one of the wild traces.
func (m *Meta) BloomsFor(id *trace.ID) []int {
	var out []int
	for i := range m.Blooms {
		s := &m.Blooms[i]
		if compareIDs(&s.IDs.Min, id) <= 0 && compareIDs(id, &s.IDs.Max) <= 0 {
			out = append(out, i)
		}
	}
	return out
}

// BloomTail is what a lookup by ID needs beside the row groups themselves.
type BloomTail struct {
	// FirstGroup is the number of Index.RowGroups[0] within the block.
	FirstGroup int
	// Index has Columns, RowGroups of the range (with rows numbered as in the
	// block, but without zone maps and small dictionaries) and Tables (numbered
	// as in the block; what no row of the range refers to is empty).
	Index Index
	// PageIDs is, for each page of the range in order, the trace ID of its
	// first row.
	PageIDs []trace.ID
}

// Pages returns the pages of PageIDs, [from, to), that can hold rows of a trace:
// none if from == to.
func (t *BloomTail) Pages(id *trace.ID) (from, to int) {
	from = sort.Search(len(t.PageIDs), func(i int) bool { return compareIDs(&t.PageIDs[i], id) >= 0 })
	to = from + sort.Search(len(t.PageIDs)-from, func(i int) bool { return compareIDs(&t.PageIDs[from+i], id) > 0 })
	if from > 0 {
		from-- // the trace may begin within the page before
	}
	return from, to
}
