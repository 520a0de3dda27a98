package distributor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/clewtrace/clew/distributor/otlpwire"
)

// protoOfJSON reads an OTLP request in JSON and returns its protobuf form. A
// span that cannot be read is left out alone and counted by reason, as it is in
// protobuf. What cannot be read around the spans is an error, and so is a request
// of which no span can be read, such as one with IDs in base64.
func protoOfJSON(body []byte) (b []byte, refused map[string]int, err error) {
	req, err := decodeJSON(body)
	if err != nil {
		var doc map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if syntax := d.Decode(&doc); syntax != nil {
			return nil, nil, fmt.Errorf("at byte %d: %w", d.InputOffset(), syntax)
		}
		n, kept := dropUnreadable(doc)
		if n == 0 || kept == 0 {
			return nil, nil, err // it is not single spans, but how they all are written
		}
		if body, err = json.Marshal(doc); err != nil {
			return nil, nil, err
		}
		if req, err = decodeJSON(body); err != nil {
			return nil, nil, err
		}
		refused = map[string]int{otlpwire.ReasonSpan: n}
	}
	b, err = req.MarshalProto()
	return b, refused, err
}

func decodeJSON(body []byte) (req ptraceotlp.ExportRequest, err error) {
	defer func() {
		if p := recover(); p != nil { // the decoder's, on odd input
			err = errors.New("cannot be decoded")
		}
	}()
	req = ptraceotlp.NewExportRequest()
	return req, req.UnmarshalJSON(body)
}

// dropUnreadable takes the spans out of a request that cannot be read each by
// itself, and returns how many, and how many are left. It is slow, and only for
// requests that have one.
func dropUnreadable(doc map[string]any) (n, left int) {
	for _, rs := range objects(doc, "resourceSpans", "resource_spans") {
		for _, ss := range objects(rs, "scopeSpans", "scope_spans") {
			spans, ok := ss["spans"].([]any)
			if !ok {
				continue
			}
			kept := spans[:0]
			for _, s := range spans {
				alone, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{"scopeSpans": []any{map[string]any{"spans": []any{s}}}}}})
				if err == nil {
					_, err = decodeJSON(alone)
				}
				if err != nil {
					n++
					continue
				}
				kept = append(kept, s)
			}
			ss["spans"] = kept
			left += len(kept)
		}
	}
	return n, left
}

// objects returns the objects in the list that stands under one of the keys.
func objects(in map[string]any, keys ...string) (out []map[string]any) {
	for _, k := range keys {
		list, _ := in[k].([]any)
		for _, v := range list {
			if o, ok := v.(map[string]any); ok {
				out = append(out, o)
			}
		}
	}
	return out
}
