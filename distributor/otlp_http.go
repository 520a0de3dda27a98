package distributor

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/rs/cors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/storage/tenant"
)

// NewHTTPHandler serves OTLP over HTTP: POST /v1/traces.
func (d *Distributor) NewHTTPHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/traces", d.serveTraces)
	if len(d.cfg.CORSAllowedOrigins) == 0 {
		return mux
	}
	return cors.New(cors.Options{
		AllowedOrigins: d.cfg.CORSAllowedOrigins, AllowedMethods: []string{http.MethodPost},
		AllowedHeaders: []string{"*"}, MaxAge: 7200,
	}).Handler(mux)
}

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

func (d *Distributor) serveTraces(w http.ResponseWriter, r *http.Request) {
	code := http.StatusOK
	defer func() {
		if p := recover(); p != nil {
			d.m.panics.Inc()
			d.opts.Logger.Error("bug: OTLP request", "panic", p, "stack", string(debug.Stack()))
			code = http.StatusInternalServerError
			http.Error(w, "internal error: see the log of the server", code)
		}
		d.m.requests.WithLabelValues("otlp_http", fmt.Sprint(code)).Inc()
	}()
	if r.Method != http.MethodPost {
		code = http.StatusMethodNotAllowed
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "405 method not allowed, supported: [POST]", code)
		return
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != typeProto && kind != typeJSON {
		code = http.StatusUnsupportedMediaType
		http.Error(w, "415 unsupported media type, supported: [application/json, application/x-protobuf]", code)
		return
	}
	out, err := d.receive(r, kind)
	if err != nil {
		code = writeError(w, kind, err)
		return
	}
	writeMessage(w, kind, code, response(&out))
}

// httpError is an error with an HTTP status of its own.
type httpError struct {
	code int
	st   *status.Status
}

func (e *httpError) Error() string { return e.st.Message() }

func badRequest(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, status.Newf(codes.InvalidArgument, format, args...)}
}

func (d *Distributor) receive(r *http.Request, kind string) (Outcome, error) {
	id := tenant.Single
	if d.opts.Multitenancy {
		vals := r.Header.Values(tenant.Header)
		if len(vals) > 1 {
			return Outcome{}, badRequest("%s: %d values, want one", tenant.Header, len(vals))
		}
		var err error
		if id, err = tenant.Parse(strings.Join(vals, "")); errors.Is(err, tenant.ErrMissing) {
			return Outcome{}, &httpError{http.StatusUnauthorized, status.New(codes.Unauthenticated, err.Error())}
		} else if err != nil {
			return Outcome{}, badRequest("%s: %v", tenant.Header, err)
		}
	}
	a, err := d.admit(r.Context(), id, d.expectBody(r))
	if err != nil {
		return Outcome{}, err
	}
	defer a.release()
	buf, err := d.readBody(r)
	if err != nil {
		return Outcome{}, err
	}
	body := *buf
	var refused map[string]int
	if kind == typeJSON {
		if body, refused, err = protoOfJSON(body); err != nil {
			return Outcome{}, badRequest("read OTLP JSON: %v", err)
		}
	}
	out, err := d.pushAdmitted(r.Context(), id, body, refused, a)
	d.buffers.Put(buf) // not after a panic
	return out, err
}

// expectBody is the size for which a request is admitted before it is read.
func (d *Distributor) expectBody(r *http.Request) int64 {
	if r.Header.Get("Content-Encoding") == "" && r.ContentLength >= 0 {
		return min(r.ContentLength, int64(d.cfg.MaxRequestBytes))
	}
	return d.expect()
}

// readBody reads and decompresses the body into a buffer of the pool; what it
// becomes is bounded.
func (d *Distributor) readBody(r *http.Request) (*[]byte, error) {
	limit := int64(d.cfg.MaxRequestBytes)
	tooLarge := &httpError{http.StatusRequestEntityTooLarge,
		status.Newf(codes.ResourceExhausted, "request is larger than %d bytes (distributor.max_request_bytes)", limit)}
	raw := io.LimitReader(r.Body, limit+1)
	var src io.Reader
	var err error
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
		src = raw
	case "gzip":
		src, err = gzip.NewReader(raw)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow)); err == nil {
			defer z.Close()
			src = z
		}
	case "zlib", "deflate":
		src, err = zlib.NewReader(raw)
	case "lz4":
		src = lz4.NewReader(raw)
	case "x-snappy-framed":
		src = snappy.NewReader(raw)
	case "snappy":
		var b []byte
		if b, err = io.ReadAll(raw); err != nil {
			break
		}
		n, lerr := snappy.DecodedLen(b)
		if lerr != nil {
			return nil, badRequest("read request body: snappy: %v", lerr)
		}
		if int64(n) > limit || int64(len(b)) > limit {
			return nil, tooLarge
		}
		if b, err = snappy.Decode(nil, b); err == nil {
			src = bytes.NewReader(b)
		}
	default:
		return nil, badRequest("unsupported Content-Encoding: %s", enc)
	}
	if err != nil {
		return nil, badRequest("read request body: %v", err)
	}
	hint := minBuffer
	if src == raw && r.ContentLength > 0 {
		hint = int(min(r.ContentLength, limit))
	}
	buf, err := d.buffers.readAll(src, hint, int(limit))
	switch {
	case err == nil && int64(len(*buf)) > limit:
		d.buffers.Put(buf)
		return nil, tooLarge
	case err != nil && errors.Is(err, r.Context().Err()):
		return nil, err
	case err != nil:
		return nil, badRequest("read request body: %v", err)
	}
	return buf, nil
}

// writeError answers with google.rpc.Status in the encoding of the request.
func writeError(w http.ResponseWriter, kind string, err error) int {
	var he *httpError
	st, code := toStatus(err), 0
	if errors.As(err, &he) {
		st, code = he.st, he.code
	} else {
		code = httpStatus(st.Code())
	}
	if s := retryAfter(st); s != "" && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
		w.Header().Set("Retry-After", s)
	}
	if code == http.StatusUnauthorized {
		http.Error(w, st.Message(), code)
		return code
	}
	body := st.Proto()
	body.Message = strings.ToValidUTF8(body.Message, "\uFFFD") // it may quote what the client sent
	writeMessage(w, kind, code, body)
	return code
}

func writeMessage(w http.ResponseWriter, kind string, code int, m proto.Message) {
	var b []byte
	var err error
	if kind == typeJSON {
		b, err = protojson.MarshalOptions{}.Marshal(m)
		if err == nil && code == http.StatusOK && string(b) == "{}" {
			b = []byte(`{"partialSuccess":{}}`)
		}
	} else {
		b, err = proto.Marshal(m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(b) // the client may be gone
}
