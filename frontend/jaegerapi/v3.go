package jaegerapi

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// failV3 answers with the errors of the v3 API.
func (a *api) failV3(w http.ResponseWriter, r *http.Request, err error) {
	code, msg := a.fe.Status(r, err)
	header(w, nil)
	w.WriteHeader(code)
	e := encoder{jsonenc.New(w)}
	e.Object()
	e.Key("error")
	e.Object()
	e.Key("httpCode")
	e.Int(int64(code))
	e.Key("message")
	e.Str(msg)
	e.EndObject()
	e.EndObject()
	e.Close()
}

// beginV3 starts an object with one member, whose value comes next; endV3 ends it.
func beginV3(w http.ResponseWriter, c *storage.Completeness, member string) encoder {
	header(w, c)
	e := encoder{jsonenc.New(w)}
	e.Object()
	e.Key(member)
	return e
}

func (e encoder) endV3() {
	e.EndObject()
	e.Close()
}

func (a *api) v3Services(w http.ResponseWriter, r *http.Request) {
	list, c, err := a.q.Services(r.Context(), who(r))
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	e := beginV3(w, &c, "services")
	e.strings(list)
	e.endV3()
}

func (a *api) v3Operations(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	service := v.Get("service")
	if service == "" {
		a.failV3(w, r, frontend.BadParam("service", "is required"))
		return
	}
	ops, c, err := a.q.Operations(r.Context(), who(r), service)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	_, kind := v3Param(v, "spanKind", "span_kind")
	e := beginV3(w, &c, "operations")
	e.operations(listOperations(ops, strings.ToLower(kind)))
	e.endV3()
}

func (a *api) v3Summaries(w http.ResponseWriter, r *http.Request) {
	req, err := v3Request(r.URL.Query(), a.cfg)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	found, c, err := a.q.Search(r.Context(), who(r), &req.query, req.limit)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	e := beginV3(w, &c, "summaries")
	e.Array()
	for i := range found {
		e.summary(&found[i])
	}
	e.EndArray()
	e.endV3()
}

// summary writes a trace in one line. Clients insist on 32 digits and on times
// as strings.
func (e encoder) summary(s *storage.Summary) {
	count := func(key string, n int) {
		if n != 0 {
			e.Key(key)
			e.Int(int64(n))
		}
	}
	e.Object()
	e.Key("traceId")
	e.Str(s.ID.String())
	if s.HasRoot {
		e.Key("rootServiceName")
		e.Str(s.RootService)
		e.Key("rootOperationName")
		e.Str(s.RootName)
	}
	e.Key("minStartTimeUnixNano")
	e.UintString(s.Start)
	e.Key("maxEndTimeUnixNano")
	e.UintString(s.End)
	count("spanCount", s.Spans)
	count("errorSpanCount", s.Errors)
	count("orphanSpanCount", s.Orphans)
	e.Key("services")
	e.Array()
	for _, svc := range s.Services {
		e.Object()
		e.Key("name")
		e.Str(svc.Name)
		count("spanCount", svc.Spans)
		count("errorSpanCount", svc.Errors)
		e.EndObject()
	}
	e.EndArray()
	e.EndObject()
}

func (a *api) v3Trace(w http.ResponseWriter, r *http.Request) {
	id, raw, err := v3ByID(r)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	t, c, err := a.q.Trace(r.Context(), who(r), id)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	a.v3Answer(w, r, []*trace.Trace{t}, raw, &c)
}

func (a *api) v3Traces(w http.ResponseWriter, r *http.Request) {
	req, err := v3Request(r.URL.Query(), a.cfg)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	whole, _, c, err := a.find(r, req)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	a.v3Answer(w, r, whole, req.raw, &c)
}

// v3Answer writes traces as one OTLP JSON document under "result": IDs in
// hexadecimal, enums as numbers.
func (a *api) v3Answer(w http.ResponseWriter, r *http.Request, traces []*trace.Trace, raw bool, c *storage.Completeness) {
	all := ptrace.NewTraces()
	for _, t := range traces {
		if t == nil {
			continue
		}
		if !raw {
			t = t.Unshare()
		}
		for _, rs := range t.Data().ResourceSpans().All() {
			rs.CopyTo(all.ResourceSpans().AppendEmpty())
		}
	}
	if all.ResourceSpans().Len() == 0 {
		err := frontend.NotFound(c)
		if c.Complete() {
			err = &frontend.Error{Code: http.StatusNotFound, Msg: "No traces found"}
		}
		frontend.SetCompleteness(w.Header(), c)
		a.failV3(w, r, err)
		return
	}
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(all)
	if err != nil {
		a.failV3(w, r, err)
		return
	}
	e := beginV3(w, c, "result")
	e.Raw(b)
	e.endV3()
}
