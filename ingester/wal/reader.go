package wal

import (
	"errors"
	"fmt"
	"io"

	"github.com/clewtrace/clew/storage/fsys"
)

const (
	readBlock = 1 << 20 // bytes asked for at once
	readPage  = 4 << 10 // the least that is given up around a bad place
)

// reader reads a file forward through one buffer. It never fails: zeros stand
// for what cannot be read, and unreadable says why. CRCs find the zeros.
type reader struct {
	f     fsys.File
	size  int64
	buf   []byte // the bytes of the file from start
	start int64
	bad   []badRange
}

// badRange is a part of a file that could not be read or holds no sound record.
type badRange struct {
	off, end int64
	err      error // of reading; nil if the bytes are there
}

func (r *reader) reset(f fsys.File, size int64) {
	r.f, r.size, r.buf, r.start, r.bad = f, size, r.buf[:0], 0, nil
}

// view returns n bytes at off, which the file must have. They are valid until
// the next call. Memory is a block and n.
func (r *reader) view(off int64, n int) []byte {
	if off < r.start || off > r.start+int64(len(r.buf)) {
		r.buf, r.start = r.buf[:0], off
	}
	at := int(off - r.start)
	if len(r.buf)-at >= n {
		return r.buf[at : at+n]
	}
	kept := len(r.buf) - at
	want := kept + int(min(int64(max(readBlock, n-kept)), r.size-off-int64(kept)))
	if cap(r.buf) < want {
		buf := make([]byte, kept, want+want/8)
		copy(buf, r.buf[at:])
		r.buf = buf
	} else {
		copy(r.buf, r.buf[at:])
	}
	r.buf, r.start = r.buf[:want], off
	r.fill(r.buf[kept:], off+int64(kept))
	return r.buf[:n]
}

// fill reads b at off, page by page where a block cannot be read at once.
func (r *reader) fill(b []byte, off int64) {
	n, err := r.f.ReadAt(b, off)
	if n == len(b) {
		return
	}
	for n = max(n, 0); n < len(b); {
		page := b[n:min(len(b), n+readPage-int((off+int64(n))%readPage))]
		if errors.Is(err, io.EOF) { // shorter than a moment ago
			page = b[n:]
		} else if n2, err2 := r.f.ReadAt(page, off+int64(n)); n2 == len(page) {
			n += len(page)
			continue
		} else {
			err = err2
		}
		clear(page)
		r.mark(off+int64(n), len(page), err)
		n += len(page)
	}
}

// mark notes that n bytes at off could not be read.
func (r *reader) mark(off int64, n int, err error) {
	if last := len(r.bad) - 1; last >= 0 && r.bad[last].end == off {
		r.bad[last].end += int64(n)
		return
	}
	r.bad = append(r.bad, badRange{off, off + int64(n), fmt.Errorf("read: %w", err)})
}

// unreadable returns why a part of the bytes from off to end could not be read.
func (r *reader) unreadable(off, end int64) error {
	for _, b := range r.bad {
		if b.off < end && off < b.end {
			return b.err
		}
	}
	return nil
}
