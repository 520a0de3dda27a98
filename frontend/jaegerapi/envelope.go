package jaegerapi

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage"
)

// encoder writes the JSON of Jaeger's API.
type encoder struct {
	*jsonenc.Encoder
}

// apiError is an entry of the envelope's errors.
type apiError struct {
	code         int
	msg, traceID string
}

// begin starts an answer in the envelope; its data comes next.
func begin(w http.ResponseWriter, c *storage.Completeness) encoder {
	header(w, c)
	e := encoder{jsonenc.New(w)}
	e.Object()
	e.Key("data")
	return e
}

// header sets what every answer with a body has.
func header(w http.ResponseWriter, c *storage.Completeness) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	if c != nil {
		frontend.SetCompleteness(h, c)
	}
}

// end closes the envelope. The client may be gone, so nobody asks for errors.
func (e encoder) end(total int, errs []apiError) {
	e.Key("total")
	e.Int(int64(total))
	e.Key("limit")
	e.Int(0)
	e.Key("offset")
	e.Int(0)
	e.Key("errors")
	if len(errs) == 0 {
		e.Null()
	} else {
		e.Array()
		for _, x := range errs {
			e.Object()
			if x.code != 0 {
				e.Key("code")
				e.Int(int64(x.code))
			}
			e.Key("msg")
			e.Str(x.msg)
			if x.traceID != "" {
				e.Key("traceID")
				e.Str(x.traceID)
			}
			e.EndObject()
		}
		e.EndArray()
	}
	e.EndObject()
	e.Close()
}

func writeError(w http.ResponseWriter, code int, msg string) {
	header(w, nil)
	w.WriteHeader(code)
	e := encoder{jsonenc.New(w)}
	e.Object()
	e.Key("data")
	e.Null()
	e.end(0, []apiError{{code: code, msg: msg}})
}

// strings writes a list, [] if it is empty.
func (e encoder) strings(list []string) {
	e.Array()
	for _, s := range list {
		e.Str(s)
	}
	e.EndArray()
}

func (e encoder) operations(list []operation) {
	e.Array()
	for _, o := range list {
		e.Object()
		e.Key("name")
		e.Str(o.name)
		e.Key("spanKind")
		e.Str(o.kind)
		e.EndObject()
	}
	e.EndArray()
}

// pretty returns a writer that indents what is written to it, if asked to, once
// done is called.
func pretty(w http.ResponseWriter, on bool) (out http.ResponseWriter, done func()) {
	if !on {
		return w, func() {}
	}
	p := &prettyWriter{ResponseWriter: w}
	return p, func() {
		var b bytes.Buffer
		if json.Indent(&b, p.buf.Bytes(), "", "    ") == nil {
			w.Write(b.Bytes())
		}
	}
}

type prettyWriter struct {
	http.ResponseWriter
	buf bytes.Buffer
}

func (p *prettyWriter) Write(b []byte) (int, error) { return p.buf.Write(b) }
