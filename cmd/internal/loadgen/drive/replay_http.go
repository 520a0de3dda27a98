package drive

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

type httpReplay struct {
	target     *Target
	meter      *Meter
	client     *http.Client
	url        string
	compressor *compressor
}

func newHTTPReplay(t *Target, m *Meter) (Sender, error) {
	if t.Protocol == HTTPJSON {
		return nil, fmt.Errorf("requests made beforehand are protobuf: %s cannot be replayed", HTTPJSON)
	}
	c, err := newCompressor(t.Compression)
	if err != nil {
		return nil, err
	}
	return &httpReplay{target: t, meter: m, client: &http.Client{Transport: transport(t)}, url: t.url(), compressor: c}, nil
}

// transport keeps one connection.
func transport(t *Target) *http.Transport {
	tr := &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, WriteBufferSize: 256 << 10, ForceAttemptHTTP2: t.TLS != nil}
	if t.TLS != nil {
		tr.TLSClientConfig = t.TLS.Clone()
	}
	return tr
}

func (s *httpReplay) Send(ctx context.Context, r loadgen.Request) error {
	body := s.compressor.encode(r.Body)
	return retrying(ctx, s.target, s.meter, func(ctx context.Context) (int64, string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
		if err != nil {
			return 0, "", err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		if s.compressor.name != "none" {
			req.Header.Set("Content-Encoding", s.compressor.name)
		}
		for k, v := range s.target.Headers {
			req.Header.Set(k, v)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			return 0, "", &refusal{err: err, retryable: true}
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return 0, "", &refusal{err: fmt.Errorf("read answer: %w", err), retryable: true}
		}
		if resp.StatusCode/100 != 2 {
			return 0, "", refusedHTTP(resp.StatusCode, resp.Header, readable(answer))
		}
		return partial(answer)
	})
}

func (s *httpReplay) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// readable shortens the text of an answer for an error.
func readable(b []byte) string {
	if len(b) > 200 {
		b = append(b[:200:200], "…"...)
	}
	return string(bytes.ToValidUTF8(bytes.TrimSpace(b), []byte("?")))
}

// compressor encodes bodies one after the other, each in the buffer of the
// one before. Not for concurrent use.
type compressor struct {
	name string
	buf  []byte
	gzip *gzip.Writer
	zstd *zstd.Encoder
}

func newCompressor(name string) (*compressor, error) {
	c := &compressor{name: name}
	var err error
	switch name {
	case "gzip":
		c.gzip, err = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	case "zstd":
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	}
	if err != nil {
		return nil, fmt.Errorf("compression %s: %w", name, err)
	}
	return c, nil
}

func (c *compressor) encode(body []byte) []byte {
	switch c.name {
	case "gzip":
		w := bytes.NewBuffer(c.buf[:0])
		c.gzip.Reset(w)
		// A bytes.Buffer takes every write.
		_, _ = c.gzip.Write(body)
		_ = c.gzip.Close()
		c.buf = w.Bytes()
	case "zstd":
		c.buf = c.zstd.EncodeAll(body, c.buf[:0])
	case "snappy":
		c.buf = snappy.Encode(c.buf[:cap(c.buf)], body)
	default:
		return body
	}
	return c.buf
}
