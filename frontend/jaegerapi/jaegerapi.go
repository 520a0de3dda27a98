// Package jaegerapi speaks Jaeger's HTTP query API: the routes of old under
// /api/, which Kiali, Grafana and older UIs need, and those of today's UI under
// /api/v3/. Trace IDs are 32 digits in every answer.
package jaegerapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

type api struct {
	fe  *frontend.Frontend
	cfg frontend.Config
	q   frontend.Querier
	now func() time.Time
}

// New returns the handler of the API, for the paths under /api/. What it does
// not know it answers with a plain 404.
func New(cfg frontend.Config, q frontend.Querier, o frontend.Options) http.Handler {
	a := &api{frontend.New(cfg, o), cfg, q, time.Now}
	return a.fe.Wrap("jaeger", a.routes())
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /api/services":                      a.services,
		"GET /api/services/{service}/operations": a.serviceOperations,
		"GET /api/operations":                    a.operations,
		"GET /api/traces":                        a.traces,
		"GET /api/traces/{id}":                   a.trace,
		"POST /api/transform":                    a.transform,
		"GET /api/v3/services":                   a.v3Services,
		"GET /api/v3/operations":                 a.v3Operations,
		"GET /api/v3/trace-summaries":            a.v3Summaries,
		"GET /api/v3/traces":                     a.v3Traces,
		"GET /api/v3/traces/{id}":                a.v3Trace,
	} {
		mux.HandleFunc(pattern, a.fe.Route(pattern, h))
	}
	return mux
}

// who is the tenant that frontend.Route fixed.
func who(r *http.Request) tenant.ID {
	id, err := tenant.FromContext(r.Context())
	if err != nil {
		panic(err)
	}
	return id
}

func (a *api) services(w http.ResponseWriter, r *http.Request) {
	list, c, err := a.q.Services(r.Context(), who(r))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	e := begin(w, &c)
	e.strings(list)
	e.end(len(list), incomplete(&c))
}

func (a *api) serviceOperations(w http.ResponseWriter, r *http.Request) {
	service := r.PathValue("service")
	if s, err := url.QueryUnescape(service); err == nil { // clients escape twice
		service = s
	}
	ops, c, err := a.q.Operations(r.Context(), who(r), service)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	var names []string
	for _, o := range ops { // sorted by name
		if len(names) == 0 || names[len(names)-1] != o.Name {
			names = append(names, o.Name)
		}
	}
	e := begin(w, &c)
	e.strings(names)
	e.end(len(names), incomplete(&c))
}

// operation is a span name and kind as Jaeger's clients see it.
type operation struct{ name, kind string }

// listOperations keeps the operations of the given kind, if any. A span without
// a kind is internal to Jaeger's clients.
func listOperations(ops []storage.Operation, kind string) []operation {
	var out []operation
	seen := map[operation]bool{}
	for _, o := range ops {
		op := operation{o.Name, kindName(int32(o.Kind))}
		if op.kind == "" {
			op.kind = "internal"
		}
		if (kind == "" || op.kind == kind) && !seen[op] {
			seen[op] = true
			out = append(out, op)
		}
	}
	return out
}

func (a *api) operations(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	service := v.Get("service")
	if service == "" {
		a.fail(w, r, frontend.BadParam("service", "is required"))
		return
	}
	ops, c, err := a.q.Operations(r.Context(), who(r), service)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	list := listOperations(ops, strings.ToLower(v.Get("spanKind")))
	e := begin(w, &c)
	e.operations(list)
	e.end(len(list), incomplete(&c))
}

func (a *api) trace(w http.ResponseWriter, r *http.Request) {
	id, form, err := byID(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	t, c, err := a.q.Trace(r.Context(), who(r), id)
	if err == nil && t == nil {
		frontend.SetCompleteness(w.Header(), &c)
		err = frontend.NotFound(&c)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	out, done := pretty(w, form.pretty)
	e := begin(out, &c)
	e.Array()
	e.trace(t, form.raw, frontend.Incomplete(&c))
	e.EndArray()
	e.end(0, incomplete(&c))
	done()
}

func (a *api) traces(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	req, err := legacyRequest(v, a.cfg, a.now())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	whole, ids, c, err := a.find(r, req)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	errs := incomplete(&c)
	found := 0
	out, done := pretty(w, req.pretty)
	e := begin(out, &c)
	e.Array()
	for i, t := range whole {
		if t == nil {
			if len(req.ids) > 0 { // a found trace may have been deleted since
				errs = append(errs, apiError{msg: "trace not found", traceID: ids[i].String()})
			}
			continue
		}
		e.trace(t, req.raw, "")
		whole[i] = nil // let go of what is written
		found++
	}
	e.EndArray()
	e.end(found, errs)
	done()
}

// find returns the whole traces that a request names or searches.
func (a *api) find(r *http.Request, req request) ([]*trace.Trace, []trace.ID, storage.Completeness, error) {
	ids := req.ids
	var c storage.Completeness
	if len(ids) == 0 {
		found, first, err := a.q.Search(r.Context(), who(r), &req.query, req.limit)
		if err != nil {
			return nil, nil, c, err
		}
		c = first
		for i := range found {
			ids = append(ids, found[i].ID)
		}
		if len(ids) == 0 {
			return nil, nil, c, nil
		}
	}
	whole, second, err := a.q.Traces(r.Context(), who(r), ids)
	if err != nil {
		return nil, nil, c, err
	}
	if len(req.ids) > 0 {
		return whole, ids, second, nil
	}
	return whole, ids, frontend.Both(&c, &second), nil
}

// incomplete is the entry for an answer that lacks something.
func incomplete(c *storage.Completeness) []apiError {
	if msg := frontend.Incomplete(c); msg != "" {
		return []apiError{{msg: msg}}
	}
	return nil
}

// fail answers with the envelope of old.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, msg := a.fe.Status(r, err)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		code = http.StatusRequestEntityTooLarge
	}
	writeError(w, code, msg)
}
