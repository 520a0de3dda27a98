package jaegerapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// transform renders OTLP JSON that a user uploads, one entry for each trace by
// ID. The content type does not matter.
func (a *api) transform(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.cfg.MaxUploadBytes)))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("body: more than %d bytes (frontend.max_upload_bytes)", a.cfg.MaxUploadBytes))
			return
		}
		writeError(w, http.StatusBadRequest, "body: "+err.Error())
		return
	}
	traces, err := parseOTLP(body)
	if err != nil {
		a.fail(w, r, frontend.BadParam("body", "want OTLP JSON: %s", err))
		return
	}
	e := begin(w, &storage.Completeness{})
	e.Array()
	for _, t := range traces {
		e.trace(t, false, "")
	}
	e.EndArray()
	e.end(len(traces), nil)
}

// parseOTLP reads OTLP JSON. A decoder that panics on odd input must not take
// more than this request.
func parseOTLP(body []byte) (traces []*trace.Trace, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be decoded (%v)", p)
		}
	}()
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
	if err != nil {
		return nil, err
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, err
	}
	return trace.AssembleAll(b)
}
