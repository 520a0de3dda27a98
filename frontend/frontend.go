// Package frontend is the door of queries: what the HTTP APIs of its rooms
// (jaegerapi, tempoapi) have in common. A Frontend wraps the handler of an API
// and fixes the tenant, the deadline and the limits of each request, compresses
// answers, survives panics and measures. It reads no spans itself: the answers
// come from a Querier.
package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// Querier answers queries of one tenant. Its answers are exact over what could
// be read, and the Completeness says what could not; an error means that there
// is no answer. An error with a method HTTPStatus() int chooses the status of
// the response. Slices and traces belong to the caller, who does not write to
// traces.
type Querier interface {
	// Trace returns one whole trace, nil if there is none.
	Trace(context.Context, tenant.ID, trace.ID) (*trace.Trace, storage.Completeness, error)
	// Search returns at most limit traces that match, newest first: start
	// descending, then ID ascending.
	Search(ctx context.Context, t tenant.ID, q *storage.Query, limit int) ([]storage.Summary, storage.Completeness, error)
	// Traces returns whole traces in the order of ids, nil where there is none.
	Traces(ctx context.Context, t tenant.ID, ids []trace.ID) ([]*trace.Trace, storage.Completeness, error)
	// Services returns the names of services, sorted.
	Services(context.Context, tenant.ID) ([]string, storage.Completeness, error)
	// Operations returns the operations of a service, sorted by name and kind.
	Operations(ctx context.Context, t tenant.ID, service string) ([]storage.Operation, storage.Completeness, error)
}

// Options are what an API gets from the process.
type Options struct {
	// Logger may be nil: then nothing is logged.
	Logger *slog.Logger
	// Metrics are shared by the APIs of a process; nil measures nothing.
	Metrics *Metrics
	// Multitenancy requires the header X-Scope-OrgID on every request. Without
	// it all requests are of one tenant, and the header is ignored.
	Multitenancy bool
	// Version of the program, and the Revision of its source with the Time of
	// that, for clients that ask; what is not known is empty.
	Version, Revision, Time string
}

// Frontend is what the APIs of a process share. It is safe for concurrent use
// and keeps no goroutine.
type Frontend struct {
	cfg      Config
	opts     Options
	compress func(http.Handler) http.HandlerFunc
}

// New returns a Frontend. cfg must be valid.
func New(cfg Config, o Options) *Frontend {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(1))
	if err != nil {
		panic(err) // constants
	}
	return &Frontend{cfg, o, compress}
}

// Version is that of the program.
func (f *Frontend) Version() string { return f.opts.Version }

// Revision is that of the program's source, with its time; empty if not known.
func (f *Frontend) Revision() (revision, time string) { return f.opts.Revision, f.opts.Time }

// errTimeout is the cause of a context that ran into QueryTimeout.
var errTimeout = fmt.Errorf("query timeout: %w", context.DeadlineExceeded)

// Wrap returns h behind everything that the APIs have in common. api names it in
// metrics and logs. The routes in h are made with Route or Open.
func (f *Frontend) Wrap(api string, h http.Handler) http.Handler {
	h = f.compress(f.limitURL(h))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		f.opts.Metrics.inflight.Inc()
		ctx, cancel := context.WithTimeoutCause(r.Context(), f.cfg.QueryTimeout, errTimeout)
		defer cancel()
		route := new(string)
		rec := &recorder{ResponseWriter: w}
		defer func() {
			f.opts.Metrics.inflight.Dec()
			p := recover()
			if p == nil {
				f.opts.Metrics.observe(api, *route, rec.code(), time.Since(began))
				return
			}
			f.opts.Metrics.observe(api, *route, http.StatusInternalServerError, time.Since(began))
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			f.opts.Metrics.panics.Inc()
			f.opts.Logger.Error("bug: query request", "api", api, "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if rec.status != 0 { // the answer has begun: only its breaking off can tell
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "internal error: see the log of the server", http.StatusInternalServerError)
		}()
		h.ServeHTTP(rec, r.WithContext(context.WithValue(ctx, routeKey{}, route)))
	})
}

type routeKey struct{}

// Route wraps the handler of one route: it names the route in metrics and puts
// the tenant into the context. Without a tenant it answers 401, with an invalid
// one 400, in plain text as Tempo does.
func (f *Frontend) Route(name string, h http.HandlerFunc) http.HandlerFunc {
	return f.Open(name, func(w http.ResponseWriter, r *http.Request) {
		id := tenant.Single
		if f.opts.Multitenancy {
			var err error
			if id, err = tenant.Parse(r.Header.Get(tenant.Header)); err != nil {
				code := http.StatusBadRequest
				if errors.Is(err, tenant.ErrMissing) {
					code = http.StatusUnauthorized
				}
				http.Error(w, err.Error(), code)
				return
			}
		}
		h(w, r.WithContext(tenant.NewContext(r.Context(), id)))
	})
}

// Open is Route for what needs no tenant.
func (f *Frontend) Open(name string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if route, ok := r.Context().Value(routeKey{}).(*string); ok {
			*route = name
		}
		h(w, r)
	}
}

// limitURL refuses requests whose parameters are too long.
func (f *Frontend) limitURL(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := len(r.URL.RawQuery) + len(r.URL.Path); n > int(f.cfg.MaxURLBytes) {
			http.Error(w, fmt.Sprintf("URL of %d bytes: at most %d are accepted (frontend.max_url_bytes)", n, f.cfg.MaxURLBytes), http.StatusRequestURITooLong)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// recorder remembers the status of a response.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 && code >= 200 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
