// Package tempoapi speaks Tempo's HTTP API: traces by ID in both versions, and
// what clients ask to see whether the server is there. JSON follows gogo's
// jsonpb: camelCase names, zero values left out, 64-bit integers as strings,
// enums by name, bytes (so IDs too) in base64. Errors are plain text.
package tempoapi

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

type api struct {
	fe *frontend.Frontend
	q  frontend.Querier
}

// New returns the handler of the API, for the paths under /api/. What it does
// not know it answers with a plain 404.
func New(cfg frontend.Config, q frontend.Querier, o frontend.Options) http.Handler {
	a := &api{frontend.New(cfg, o), q}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/traces/{id}", a.fe.Route("GET /api/traces/{id}", a.traceV1))
	mux.HandleFunc("GET /api/v2/traces/{id}", a.fe.Route("GET /api/v2/traces/{id}", a.traceV2))
	mux.HandleFunc("GET /api/echo", a.fe.Open("GET /api/echo", echo))
	mux.HandleFunc("GET /api/status/buildinfo", a.fe.Open("GET /api/status/buildinfo", a.buildInfo))
	return a.fe.Wrap("tempo", mux)
}

func echo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "echo")
}

func (a *api) buildInfo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", typeJSON)
	revision, date := a.fe.Revision()
	e := jsonenc.New(w)
	e.Object()
	for _, kv := range [][2]string{
		{"version", a.fe.Version()}, {"revision", revision}, {"branch", ""}, {"buildDate", date}, {"buildUser", ""}, {"goVersion", runtime.Version()},
	} {
		e.Key(kv[0])
		e.Str(kv[1])
	}
	e.EndObject()
	e.Close()
}

const (
	typeJSON  = "application/json"
	typeProto = "application/protobuf"
)

func wantsProto(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), typeProto) }

// find reads the parameters and asks for the trace, nil if there is none; ok is
// false if the answer has been written.
func (a *api) find(w http.ResponseWriter, r *http.Request) (t *trace.Trace, c storage.Completeness, ok bool) {
	t, c, err := a.ask(r)
	frontend.SetCompleteness(w.Header(), &c)
	if err == nil && t == nil && !c.Complete() {
		err = frontend.NotFound(&c) // nobody knows whether it exists
	}
	if err != nil {
		code, msg := a.fe.Status(r, err)
		http.Error(w, msg, code)
		return nil, c, false
	}
	if t != nil {
		t = t.Unshare()
	}
	return t, c, true
}

func (a *api) ask(r *http.Request) (t *trace.Trace, c storage.Completeness, err error) {
	who, err := tenant.FromContext(r.Context())
	if err != nil {
		panic(err) // frontend.Route puts it there
	}
	id, err := trace.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, c, frontend.BadParam("traceID", "%s", err)
	}
	// Hints; the answer needs none.
	var times [2]int64
	for i, name := range []string{"start", "end"} {
		s := r.URL.Query().Get(name)
		if s == "" {
			continue
		}
		if times[i], err = strconv.ParseInt(s, 10, 64); err != nil || times[i] < 0 {
			return nil, c, frontend.BadParam(name, "%.40q: want seconds since 1970", s)
		}
	}
	if times[1] != 0 && times[1] <= times[0] {
		return nil, c, frontend.BadParam("end", "%d: want more than start, which is %d", times[1], times[0])
	}
	return a.q.Trace(r.Context(), who, id)
}

func (a *api) traceV1(w http.ResponseWriter, r *http.Request) {
	t, _, ok := a.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Vary", "Accept")
	switch {
	case t == nil:
		w.WriteHeader(http.StatusNotFound)
	case wantsProto(r):
		w.Header().Set("Content-Type", typeProto)
		w.Write(t.Wire())
	default:
		w.Header().Set("Content-Type", typeJSON)
		e := encoder{jsonenc.New(w)}
		e.Object()
		e.Key("batches")
		e.batches(t)
		e.EndObject()
		e.Close()
	}
}

// traceV2 answers a trace that is not there with an empty one and status 200.
func (a *api) traceV2(w http.ResponseWriter, r *http.Request) {
	t, c, ok := a.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("Vary", "Accept")
	partial := frontend.Incomplete(&c)
	if wantsProto(r) {
		w.Header().Set("Content-Type", typeProto)
		w.Write(responseV2(t, partial))
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	e := encoder{jsonenc.New(w)}
	e.Object()
	e.Key("trace")
	e.Object()
	if t != nil {
		e.Key("resourceSpans")
		e.resourceSpans(t)
	}
	e.EndObject()
	e.Key("metrics")
	e.Object()
	e.EndObject()
	if partial != "" {
		e.Key("status")
		e.Str("PARTIAL")
		e.Key("message")
		e.Str(partial)
	}
	e.EndObject()
	e.Close()
}

// responseV2 is a TraceByIDResponse on the wire: trace = 1, metrics = 2,
// status = 3, message = 4. The trace is there even if it is empty.
func responseV2(t *trace.Trace, partial string) []byte {
	var wire []byte
	if t != nil {
		wire = t.Wire()
	}
	b := make([]byte, 0, len(wire)+len(partial)+32)
	b = binary.AppendUvarint(append(b, 1<<3|2), uint64(len(wire)))
	b = append(append(b, wire...), 2<<3|2, 0)
	if partial != "" {
		b = append(b, 3<<3, 1)
		b = append(binary.AppendUvarint(append(b, 4<<3|2), uint64(len(partial))), partial...)
	}
	return b
}
