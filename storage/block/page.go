package block

import (
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxPageBytes bounds the body of a page once decompressed, whatever its header
// says.
const maxPageBytes = 1 << 30

// maxPageRows bounds the rows of a page.
const maxPageRows = 1 << 20

// castagnoli is the table of all checksums in a block but those of pages, for
// which Parquet prescribes CRC-32.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt reports bytes of a block that are not what was written.
var ErrCorrupt = errors.New("corrupt block")

// errChecksum is what ErrCorrupt wraps where a checksum says so.
var errChecksum = fmt.Errorf("checksum mismatch: %w", ErrCorrupt)

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrCorrupt)
}

// decoder is the shared zstd decoder: DecodeAll is safe for concurrent use and
// keeps its state in as many parts as it may run at once.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecodeAllCapLimit(true), // what does not fit is an error, never an allocation
		zstd.WithDecoderMaxMemory(maxPageBytes),
		zstd.WithDecoderMaxWindow(maxPageBytes>>1),
	)
	if err != nil {
		panic(err) // options are constants
	}
	return d
})

// zstdMaxRatio bounds how much one compressed byte can become: a block of four
// bytes makes 128 KiB.
const zstdMaxRatio = 32 << 10

// decompressSlack is free capacity that lets the zstd decoder copy by words.
const decompressSlack = 32

// decompress appends the body of a page to dst.
func decompress(dst, body []byte, h *pageHeader) ([]byte, error) {
	if h.Uncompressed > maxPageBytes || uint64(h.Uncompressed) > uint64(len(body)+1)*zstdMaxRatio {
		return dst, corruptf("page of %d bytes claims to hold %d", len(body), h.Uncompressed)
	}
	at := len(dst)
	dst = growBytes(dst, h.Uncompressed+decompressSlack)
	out, err := decoder().DecodeAll(body, dst[:at:at+h.Uncompressed+decompressSlack])
	if err != nil {
		return dst, corruptf("decompress: %v", err)
	}
	if len(out)-at != h.Uncompressed {
		return dst, corruptf("page holds %d bytes: header says %d", len(out)-at, h.Uncompressed)
	}
	return dst[:len(out)], nil
}

// growBytes returns b with at least n bytes of free capacity.
func growBytes(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	grown := make([]byte, len(b), max(len(b)+n, 2*cap(b)))
	copy(grown, b)
	return grown
}

// openPage checks the bytes of a page against its place in the index and its
// checksum, and returns its header and its compressed body. The checksum does
// not cover the header, all of which is checked against what is known otherwise.
func openPage(raw []byte, p Page) (h pageHeader, body []byte, err error) {
	if uint64(len(raw)) != uint64(p.Size) {
		return h, nil, corruptf("page of %d bytes: have %d", p.Size, len(raw))
	}
	h, n, err := parsePageHeader(raw)
	if err != nil {
		return h, nil, fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if h.Compressed != len(raw)-n {
		return h, nil, corruptf("page body of %d bytes: header says %d", len(raw)-n, h.Compressed)
	}
	if !h.HasCRC {
		return h, nil, corruptf("page without a checksum")
	}
	if crc32.ChecksumIEEE(raw[n:]) != h.CRC {
		return h, nil, errChecksum
	}
	return h, raw[n:], nil
}
