package block

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// pageCodec names the compression of pages in meta.json.
const pageCodec = "zstd-1"

// pageCompressors keeps compressors between blocks, for they hold about 1 MiB
// each. The frames carry no checksum: the page header has one.
var pageCompressors = sync.Pool{New: func() any {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithSingleSegment(true),
		zstd.WithWindowSize(512<<10))
	if err != nil {
		panic(err) // options are constants
	}
	return z
}}

// storedBody is the size from which on page bodies are compressed.
const storedBody = 512

// pageWriter writes the pages of one column chunk after the other.
type pageWriter struct {
	out  *objectWriter
	zstd *zstd.Encoder
	body []byte // of the page in work
	// store is from which size on bodies are compressed. Building the tables of
	// a compressed block takes longer than all else about a small page, and
	// gains a tenth of it.
	store int
	// random: a page of the chunk hardly became smaller, so the others are stored.
	random bool
	page   []byte // header and compressed body

	chunk        Chunk
	compressed   int64 // of the chunk, headers included
	uncompressed int64
	encodings    map[int32]int32 // data pages of the chunk by encoding
	dictOffset   int64
	dataOffset   int64
}

func newPageWriter(out *objectWriter) *pageWriter {
	return &pageWriter{out: out, zstd: pageCompressors.Get().(*zstd.Encoder), encodings: map[int32]int32{}, store: storedBody}
}

func (w *pageWriter) release() {
	pageCompressors.Put(w.zstd)
	w.zstd = nil
}

// begin starts a chunk with room for pages data pages.
func (w *pageWriter) begin(pages int) {
	w.chunk = Chunk{Pages: make([]Page, 0, pages)}
	w.compressed, w.uncompressed, w.dictOffset, w.dataOffset, w.random = 0, 0, 0, 0, false
	clear(w.encodings)
}

// dictionary writes body as the dictionary page of n values.
func (w *pageWriter) dictionary(n int) {
	w.dictOffset = int64(w.out.size)
	w.chunk.Dict = w.write(pageKindDictionary, encodingPlain, n)
	w.chunk.DictValues = uint32(n)
}

// data writes body as a data page of n rows.
func (w *pageWriter) data(encoding int32, n int) {
	if w.dataOffset == 0 {
		w.dataOffset = int64(w.out.size)
	}
	w.encodings[encoding]++
	w.random = w.random || encoding == encodingDelta // packed to the bit
	w.chunk.Pages = append(w.chunk.Pages, w.write(pageKindData, encoding, n))
}

func (w *pageWriter) write(kind, encoding int32, n int) Page {
	const room = 48 // for the header, which comes before the body but knows its size
	if cap(w.page) < room {
		w.page = make([]byte, 0, 64<<10)
	}
	var b []byte
	if len(w.body) < w.store || w.random && kind == pageKindData {
		b = appendStored(w.page[:room], w.body)
	} else {
		b = w.zstd.EncodeAll(w.body, w.page[:room])
		w.random = kind == pageKindData && (len(b)-room)*randomDen > len(w.body)*randomNum
	}
	w.page = b
	if len(w.body) > math.MaxInt32 || len(b) > math.MaxInt32 {
		w.out.err = corruptf("page of %d bytes", len(w.body)) // more than Parquet can say
		return Page{}
	}
	var head [room]byte
	h := appendPageHeader(head[:0], &pageHeader{Kind: kind, Encoding: encoding, Values: n, Uncompressed: len(w.body),
		Compressed: len(b) - room, CRC: crc32.ChecksumIEEE(b[room:])})
	page := b[room-len(h):]
	copy(page, h)
	p := Page{Offset: w.out.size, Size: uint32(len(page))}
	w.compressed += int64(len(page))
	w.uncompressed += int64(len(h) + len(w.body))
	_, _ = w.out.Write(page) // the objectWriter keeps the error
	return p
}

// Of a page that keeps more than randomNum/randomDen of its size, the next ones
// of the column are not compressed: that would take long, in vain.
const randomNum, randomDen = 15, 16

// zstdBlock is the most that a block of a zstd frame holds.
const zstdBlock = 128 << 10

// appendStored appends a zstd frame that holds body as it is.
func appendStored(dst, body []byte) []byte {
	n := len(body)
	dst = append(dst, 0x28, 0xb5, 0x2f, 0xfd) // magic
	const single = 1 << 5                     // segment
	switch {
	case n < 256:
		dst = append(dst, single, byte(n))
	case n < 256+1<<16:
		dst = append(dst, single|1<<6, byte(n-256), byte((n-256)>>8))
	default:
		dst = binary.LittleEndian.AppendUint32(append(dst, single|2<<6), uint32(n))
	}
	for {
		n := min(len(body), zstdBlock)
		head := n << 3 // raw
		if n == len(body) {
			head |= 1 // last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst, body = append(dst, body[:n]...), body[n:]
		if head&1 != 0 {
			return dst
		}
	}
}

// appendPageHeader appends the Thrift compact form of a page header, with its
// checksum.
func appendPageHeader(dst []byte, h *pageHeader) []byte {
	i32 := func(step byte, v int) {
		dst = append(dst, step<<4|thriftI32)
		dst = binary.AppendVarint(dst, int64(v))
	}
	i32(1, int(h.Kind))
	i32(1, h.Uncompressed)
	i32(1, h.Compressed)
	i32(1, int(int32(h.CRC)))
	if h.Kind == pageKindDictionary {
		dst = append(dst, 3<<4|thriftStruct)
		i32(1, h.Values)
		i32(1, int(h.Encoding))
	} else {
		dst = append(dst, 1<<4|thriftStruct)
		i32(1, h.Values)
		i32(1, int(h.Encoding))
		i32(1, encodingRLE) // definition levels
		i32(1, encodingRLE) // repetition levels
	}
	return append(dst, 0, 0)
}
