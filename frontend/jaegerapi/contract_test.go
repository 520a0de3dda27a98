package jaegerapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	ft "github.com/clewtrace/clew/frontend/frontendtest"
	"github.com/clewtrace/clew/storage/trace"
)

func object(t *testing.T, body []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return m
}

var id32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

// What the schemas of Jaeger's UI insist on in a summary.
func TestSummariesSatisfyTheUI(t *testing.T) {
	w := ft.Get(defaultHandler(&ft.Querier{Held: ft.Traces()}), "/api/v3/trace-summaries?"+v3Range)
	list, ok := object(t, w.Body.Bytes())["summaries"].([]any)
	if !ok || len(list) != 3 {
		t.Fatalf("got %s", w.Body)
	}
	digits := regexp.MustCompile(`^[0-9]+$`)
	last := "9"
	for _, x := range list {
		s := x.(map[string]any)
		if id, _ := s["traceId"].(string); !id32.MatchString(id) {
			t.Errorf("traceId %v", s["traceId"])
		}
		for _, key := range []string{"minStartTimeUnixNano", "maxEndTimeUnixNano"} {
			if v, _ := s[key].(string); !digits.MatchString(v) {
				t.Errorf("%s %v is no decimal string", key, s[key])
			}
		}
		if start := s["minStartTimeUnixNano"].(string); start > last {
			t.Error("not newest first")
		} else {
			last = start
		}
		for _, svc := range s["services"].([]any) {
			if name, ok := svc.(map[string]any)["name"].(string); !ok || name == "" {
				t.Errorf("service %v", svc)
			}
		}
	}
}

// checkTrace checks one trace of the envelope the way its readers use it.
func checkTrace(t *testing.T, tr map[string]any) {
	t.Helper()
	if id, _ := tr["traceID"].(string); !id32.MatchString(id) {
		t.Errorf("traceID %v", tr["traceID"])
	}
	processes := tr["processes"].(map[string]any)
	for pid, p := range processes {
		if !regexp.MustCompile(`^p[1-9][0-9]*$`).MatchString(pid) || p.(map[string]any)["serviceName"] == "" {
			t.Errorf("process %s: %v", pid, p)
		}
		checkTags(t, p.(map[string]any)["tags"])
	}
	for _, x := range tr["spans"].([]any) {
		s := x.(map[string]any)
		if s["traceID"] != tr["traceID"] || len(s["spanID"].(string)) != 16 {
			t.Errorf("span %v of trace %v", s["spanID"], s["traceID"])
		}
		if _, ok := processes[s["processID"].(string)]; !ok {
			t.Errorf("no process %v", s["processID"])
		}
		for _, key := range []string{"startTime", "duration"} {
			if _, err := s[key].(json.Number).Int64(); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		if _, ok := s["operationName"].(string); !ok {
			t.Error("no operationName")
		}
		for _, r := range s["references"].([]any) {
			ref := r.(map[string]any)
			if ref["refType"] != "CHILD_OF" && ref["refType"] != "FOLLOWS_FROM" || !id32.MatchString(ref["traceID"].(string)) || len(ref["spanID"].(string)) != 16 {
				t.Errorf("reference %v", ref)
			}
		}
		checkTags(t, s["tags"])
		for _, l := range s["logs"].([]any) {
			if _, err := l.(map[string]any)["timestamp"].(json.Number).Int64(); err != nil {
				t.Error(err)
			}
			checkTags(t, l.(map[string]any)["fields"])
		}
		if _, ok := s["warnings"]; !ok {
			t.Error("no member warnings")
		}
	}
}

func checkTags(t *testing.T, tags any) {
	t.Helper()
	for _, x := range tags.([]any) {
		kv := x.(map[string]any)
		ok := false
		switch v := kv["value"].(type) {
		case string:
			ok = kv["type"] == "string" || kv["type"] == "binary" || kv["type"] == "int64"
		case bool:
			ok = kv["type"] == "bool"
		case json.Number:
			if n, err := v.Int64(); kv["type"] == "int64" {
				ok = err == nil && n <= maxSafeInt && n >= -maxSafeInt
			} else {
				ok = kv["type"] == "float64"
			}
		}
		if !ok {
			t.Errorf("tag %v", kv)
		}
	}
}

func TestTracesSatisfyTheirReaders(t *testing.T) {
	for _, raw := range []string{"", "&raw=true"} {
		w := ft.Get(defaultHandler(&ft.Querier{Held: ft.Traces()}), "/api/traces?lookback=1h"+raw)
		env := object(t, w.Body.Bytes())
		for _, key := range []string{"data", "total", "limit", "offset", "errors"} {
			if _, ok := env[key]; !ok {
				t.Errorf("no member %s", key)
			}
		}
		data := env["data"].([]any)
		if len(data) != 3 {
			t.Fatalf("%d traces", len(data))
		}
		for _, tr := range data {
			checkTrace(t, tr.(map[string]any))
		}
	}
}

// The tags that the UI reads kind, error, scope and event from.
func TestTagsThatTheUIReads(t *testing.T) {
	w := ft.Get(defaultHandler(&ft.Querier{Held: ft.Traces()}), "/api/traces/"+ft.ShopID.String())
	for _, want := range []string{
		`{"key":"span.kind","type":"string","value":"server"}`, `{"key":"error","type":"bool","value":true}`,
		`{"key":"otel.status_code","type":"string","value":"ERROR"}`, `{"key":"otel.status_description","type":"string","value":"cart is gone"}`,
		`{"key":"otel.scope.name","type":"string","value":"net/http"}`, `{"key":"otel.scope.version","type":"string","value":"0.49.0"}`,
		`{"key":"event","type":"string","value":"exception"}`, `{"key":"w3c.tracestate","type":"string","value":"vendor=1"}`,
		`{"key":"big","type":"int64","value":"9223372036854775807"}`, `{"key":"raw","type":"binary","value":"/wAQ"}`,
		`{"key":"items","type":"string","value":"[\"apple\",2]"}`, `{"key":"user","type":"string","value":"{\"name\":\"Ada\"}"}`,
		`"warnings":["clock skew adjustment disabled; not applying calculated delta of 4ms"]`, `"Invalid span link removed"`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("missing %s", want)
		}
	}
}

// The tree is the same by ID for the UI as by rule for us.
func TestSharedIDsMakeOneTree(t *testing.T) {
	w := ft.Get(defaultHandler(&ft.Querier{Held: ft.Traces()}), "/api/traces/"+ft.ZipkinID.String())
	spans := object(t, w.Body.Bytes())["data"].([]any)[0].(map[string]any)["spans"].([]any)
	parent, id := map[string]string{}, map[string]string{}
	for _, x := range spans {
		s := x.(map[string]any)
		name := fmt.Sprint(s["operationName"], s["processID"])
		id[s["spanID"].(string)] = name
		for _, r := range s["references"].([]any) {
			parent[name] = r.(map[string]any)["spanID"].(string)
		}
	}
	if len(id) != 4 {
		t.Fatalf("%d IDs for 4 spans", len(id))
	}
	// page (web) → get (web, client) → get (backend, server) → query (backend)
	if id[parent["queryp2"]] != "getp2" || id[parent["getp2"]] != "getp1" || id[parent["getp1"]] != "pagep1" {
		t.Errorf("parents %v of %v", parent, id)
	}
}

// Any parameters get an answer, and never one that blames the server.
func FuzzHTTP(f *testing.F) {
	h := defaultHandler(&ft.Querier{Held: ft.Traces()})
	for _, seed := range []string{
		"services", "operations?service=a", "traces?service=a&limit=2&tags={}", "traces/1?raw=true", "traces/CvdlGRbNQ92ESOshHIAxnA", "services/%2525/operations",
		"v3/trace-summaries?" + v3Range, "v3/traces/1", "v3/traces?" + v3Range + "&query.rawTraces=true", "traces?traceID=" + ft.ShopID.String() + "&start=5&end=9&lookback=2w",
		"traces?tag=a:b&minDuration=1h&maxDuration=2h&prettyPrint=t",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse("http://clew/api/" + s)
		if err != nil || u.Host != "clew" {
			return
		}
		w := ft.Get(h, u.String())
		if w.Code >= 500 {
			t.Fatalf("%q: %d %s", s, w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: no JSON: %s", s, w.Body)
		}
	})
}

// Whatever is uploaded gets an answer.
func FuzzTransform(f *testing.F) {
	f.Add(`{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"intValue":"1"}}]},"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001","name":"x","startTimeUnixNano":"1"}]}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		traces, err := parseOTLP([]byte(body))
		if err != nil {
			return
		}
		for _, tr := range traces {
			checkTrace(t, object(t, render(tr, false)))
			checkTrace(t, object(t, render(tr, true)))
		}
	})
}

// Any trace that can be assembled is rendered as its readers need it.
func FuzzTrace(f *testing.F) {
	for _, tr := range ft.Traces() {
		f.Add(tr.Wire())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := trace.Assemble(b)
		if err != nil || tr == nil {
			return
		}
		checkTrace(t, object(t, render(tr, false)))
		checkTrace(t, object(t, render(tr, true)))
	})
}
