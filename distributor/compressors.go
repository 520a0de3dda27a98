package distributor

import (
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // registers gzip
)

// Exporters choose gzip by default; the Collector also offers zstd and snappy.
// gRPC itself stops reading at the message limit, so decompression is bounded.
func init() {
	encoding.RegisterCompressor(&zstdCompressor{})
	encoding.RegisterCompressor(&snappyCompressor{})
}

// maxZstdWindow bounds what a frame may make the decoder allocate.
const maxZstdWindow = 16 << 20

type zstdCompressor struct{ readers, writers sync.Pool }

func (*zstdCompressor) Name() string { return "zstd" }

type zstdReader struct {
	*zstd.Decoder
	pool *sync.Pool
}

func (r *zstdReader) Read(p []byte) (int, error) {
	if r.Decoder == nil {
		return 0, io.EOF
	}
	n, err := r.Decoder.Read(p)
	if errors.Is(err, io.EOF) {
		_ = r.Reset(nil)
		r.pool.Put(r.Decoder)
		r.Decoder = nil
	}
	return n, err
}

func (c *zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	if d, ok := c.readers.Get().(*zstd.Decoder); ok {
		if err := d.Reset(r); err != nil {
			return nil, err
		}
		return &zstdReader{d, &c.readers}, nil
	}
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, err
	}
	return &zstdReader{d, &c.readers}, nil
}

type pooledWriter struct {
	io.WriteCloser
	release func()
}

func (w *pooledWriter) Close() error {
	err := w.WriteCloser.Close()
	w.release()
	return err
}

func (c *zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	e, ok := c.writers.Get().(*zstd.Encoder)
	if !ok {
		var err error
		if e, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
			return nil, err
		}
	} else {
		e.Reset(w)
	}
	return &pooledWriter{e, func() { c.writers.Put(e) }}, nil
}

type snappyCompressor struct{ readers, writers sync.Pool }

func (*snappyCompressor) Name() string { return "snappy" }

type snappyReader struct {
	*snappy.Reader
	pool *sync.Pool
}

func (r *snappyReader) Read(p []byte) (int, error) {
	if r.Reader == nil {
		return 0, io.EOF
	}
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		r.pool.Put(r.Reader)
		r.Reader = nil
	}
	return n, err
}

func (c *snappyCompressor) Decompress(r io.Reader) (io.Reader, error) {
	if d, ok := c.readers.Get().(*snappy.Reader); ok {
		d.Reset(r)
		return &snappyReader{d, &c.readers}, nil
	}
	return &snappyReader{snappy.NewReader(r), &c.readers}, nil
}

func (c *snappyCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	e, ok := c.writers.Get().(*snappy.Writer)
	if !ok {
		e = snappy.NewBufferedWriter(w)
	} else {
		e.Reset(w)
	}
	return &pooledWriter{e, func() { c.writers.Put(e) }}, nil
}
