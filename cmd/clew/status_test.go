package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// telling is in all that a pushed span holds.
const telling = "nobody-may-see-this"

// pushSpans pushes n spans of a tenant over HTTP.
func pushSpans(t *testing.T, addr, tenant string, n int) {
	t.Helper()
	spans, now := make([]*tracepb.Span, n), uint64(time.Now().UnixNano())
	for i := range spans {
		spans[i] = &tracepb.Span{TraceId: []byte("a trace's 16 IDs"), SpanId: []byte{1, 2, 3, 4, 5, 6, 7, byte(i)}, Name: telling, StartTimeUnixNano: now, EndTimeUnixNano: now + 1e9,
			Attributes: []*commonpb.KeyValue{{Key: telling, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: telling}}}}}
	}
	body, err := proto.Marshal(&collectortrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "service.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: telling}}}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v1/traces", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-Scope-OrgID", tenant)
	if code, answer := do(t, req); code != 200 {
		t.Fatalf("push: %d %s", code, answer)
	}
}

func do(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// send makes a request with a body and headers, given in pairs.
func send(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return do(t, req)
}

// jsonAt is the JSON of a page, read into a T.
func jsonAt[T any](t *testing.T, url string) (out T) {
	t.Helper()
	code, body := fetch(t, url)
	if err := json.Unmarshal([]byte(body), &out); err != nil || code != 200 {
		t.Fatalf("%s: %d, %v\n%s", url, code, err, body)
	}
	return out
}

// TestStatusPages looks at every page of a process with data of two tenants, in
// both forms, and at what is in them.
func TestStatusPages(t *testing.T) {
	c := testConfig(t)
	c.Multitenancy, c.SelfTracing.Enabled = true, false
	c.origins["multitenancy"] = "--set"
	runFor(t, c, func(addr map[string]string) {
		status := "http://" + addr["ports.tempo"] + "/status"
		for range 3 {
			pushSpans(t, addr["ports.otlp_http"], "acme", 10)
			if code, body := send(t, "POST", "http://"+addr["ports.tempo"]+"/flush", ""); code != 200 {
				t.Fatalf("flush: %d %s", code, body)
			}
		}
		pushSpans(t, addr["ports.otlp_http"], "umbrella", 7)

		type object = map[string]any
		index := jsonAt[struct {
			Version, Data_dir string
			Doors             []doorStatus
			Ingester          struct{ Log struct{ Synced int } }
			Blocks            []object
			Pages             []string
		}](t, status)
		if index.Version != version || index.Data_dir != c.DataDir || len(index.Doors) != 4 || index.Ingester.Log.Synced == 0 || len(index.Blocks) != 1 || len(index.Pages) != 9 {
			t.Errorf("index: %+v", index)
		}
		if got := jsonAt[struct {
			Data_dir     string
			Multitenancy bool
			Ingester     struct{ Block struct{ Max_age string } }
		}](t, status+"/config"); got.Data_dir != c.DataDir || !got.Multitenancy || got.Ingester.Block.Max_age != "5m" {
			t.Errorf("config: %+v", got)
		}
		if code, body := fetch(t, status+"/config?format=yaml"); code != 200 || !strings.Contains(body, "\n# multitenancy makes every request name its tenant") {
			t.Errorf("config as YAML: %d %s", code, body)
		}
		if got := jsonAt[object](t, status+"/version"); got["version"] != version || !strings.HasPrefix(got["go_version"].(string), "go1.") || got["log_level"] != "info" {
			t.Errorf("version: %v", got)
		}
		if got := jsonAt[[]object](t, status+"/doors"); len(got) != 4 || got[3]["key"] != "ports.tempo" || got[3]["address"] != addr["ports.tempo"] {
			t.Errorf("doors: %v", got)
		}
		if got := jsonAt[logStatus](t, status+"/log"); got.Segments == 0 || got.LiveBytes == 0 || got.Bytes < got.LiveBytes || got.MaxBytes != c.Ingester.Log.MaxBytes || got.Synced == 0 ||
			got.Synced != got.Next || got.Fsyncs < 4 || got.FsyncP50 <= 0 || got.FsyncP99 < got.FsyncP50 || got.Damage == nil || got.Refusing || got.Replaying {
			t.Errorf("log: %+v", got)
		}
		if got := jsonAt[struct {
			Spans, Bytes, Max_bytes int
			Tenants                 []struct {
				Tenant                     string
				Spans, Bytes, Open, Sealed int
			}
		}](t, status+"/live"); got.Spans != 7 || got.Bytes <= 0 || got.Max_bytes != 1<<30 || len(got.Tenants) != 1 || got.Tenants[0].Tenant != "umbrella" || got.Tenants[0].Open != 1 || got.Tenants[0].Sealed != 0 || got.Tenants[0].Spans != 7 {
			t.Errorf("live: %+v", got)
		}
		if got := jsonAt[[]struct {
			Tenant               string
			Blocks, Spans, Bytes int
		}](t, status+"/blocks"); len(got) != 1 || got[0].Tenant != "acme" || got[0].Blocks != 3 || got[0].Spans != 30 || got[0].Bytes == 0 {
			t.Errorf("blocks: %+v", got)
		}
		if got := jsonAt[[]tenantStatus](t, status+"/tenants"); len(got) != 2 || got[0].Tenant != "acme" || got[0].Blocks != 3 || got[0].BlockSpans != 30 || got[1].Tenant != "umbrella" || got[1].LiveSpans != 7 || got[1].Blocks != 0 {
			t.Errorf("tenants: %+v", got)
		}
		if got := jsonAt[map[string]struct {
			Bytes, Max_bytes int
			Parts            []struct {
				Part         string
				Hits, Misses int
			}
		}](t, status+"/caches"); got["blocks"].Max_bytes != 256<<20 || len(got["blocks"].Parts) != 10 || got["blocks"].Parts[0].Part != "index_header" {
			t.Errorf("caches: %+v", got)
		}
		listing(t, status)
		lookAtAll(t, status, index.Pages)
	})
}

// listing pages through a tenant's blocks, newest first.
func listing(t *testing.T, status string) {
	type list struct {
		Total       int
		Blocks      []blockStatus
		Next_before string
	}
	all := jsonAt[list](t, status+"/blocks?tenant=acme")
	if all.Total != 3 || len(all.Blocks) != 3 || all.Next_before != "" {
		t.Fatalf("blocks of a tenant: %+v", all)
	}
	for i, b := range all.Blocks {
		if b.Spans != 10 || b.Traces != 1 || b.Bytes == 0 || b.Level != 0 || b.Portions != 1 || time.Since(b.Start) > time.Minute || b.End.Sub(b.Start) != time.Second || b.Wild != 0 || i > 0 && b.Block.Compare(all.Blocks[i-1].Block) >= 0 {
			t.Errorf("block %d: %+v", i, b)
		}
	}
	first := jsonAt[list](t, status+"/blocks?tenant=acme&limit=2")
	rest := jsonAt[list](t, status+"/blocks?tenant=acme&limit=2&before="+first.Next_before)
	if len(first.Blocks) != 2 || first.Next_before != all.Blocks[1].Block.String() || len(rest.Blocks) != 1 || rest.Blocks[0] != all.Blocks[2] || rest.Next_before != "" {
		t.Errorf("two, then the rest: %+v, %+v", first, rest)
	}
	for query, want := range map[string]int{
		"tenant=nobody": 404, "tenant=a/b": 400, "tenant=": 400, "tenant=acme&limit=0": 400, "tenant=acme&limit=1001": 400, "tenant=acme&limit=x": 400, "tenant=acme&before=x": 400, "tenant=acme&limit=1000": 200,
	} {
		if code, body := fetch(t, status+"/blocks?"+query); code != want {
			t.Errorf("%s: %d %s, want %d", query, code, body, want)
		}
	}
}

// lookAtAll reads every page as HTML: it follows every link, and finds nothing
// of what spans hold, nor anything that the policy would stop.
func lookAtAll(t *testing.T, status string, pages []string) {
	door := strings.TrimSuffix(status, "/status")
	link := regexp.MustCompile(`href="([^"]*)"`)
	queue, seen := append([]string{"/status", "/status/blocks?tenant=acme"}, pages...), map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] || strings.HasPrefix(at, "/debug/pprof/") && at != "/debug/pprof/" {
			continue
		}
		seen[at] = true
		code, body := send(t, "GET", door+at, "", "Accept", "text/html,*/*;q=0.8")
		if code != 200 {
			t.Errorf("%s: %d %.200s", at, code, body)
		}
		if strings.Contains(body, telling) {
			t.Errorf("%s shows what spans hold", at)
		}
		if !strings.HasPrefix(at, "/status") || strings.Contains(at, "json") || strings.HasSuffix(at, ".css") {
			continue
		}
		if !strings.HasPrefix(body, "<!doctype html>") || strings.Contains(body, "<script") || strings.Contains(body, "style=") {
			t.Errorf("%s is not plain HTML: %.300s", at, body)
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			base, err := http.NewRequestWithContext(t.Context(), http.MethodGet, door+at, nil)
			if err != nil {
				t.Fatal(err)
			}
			to, err := base.URL.Parse(strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(m[1]))
			if err != nil || "http://"+to.Host != door {
				t.Errorf("%s links to %s: %v", at, m[1], err)
				continue
			}
			queue = append(queue, to.RequestURI())
		}
	}
	for _, want := range []string{"/metrics", "/ready", "/log_level", "/debug/pprof/", "/status/blocks?tenant=acme&format=json", "/status/style.css"} {
		if !seen[want] && !seen[strings.Replace(want, "tenant=acme&format=json", "format=json&tenant=acme", 1)] {
			t.Errorf("no page links to %s", want)
		}
	}
}

// TestStatusIsDocumented checks that docs/status.md names every page and
// endpoint.
func TestStatusIsDocumented(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "docs/status.md"))
	if err != nil {
		t.Fatal(err)
	}
	c := defaultConfig()
	o := &ops{c: &c, reg: newRegistry()}
	for _, p := range o.pages(time.Now()) {
		if path := strings.TrimSuffix("/status/"+p.Name, "/"); !strings.Contains(string(b), "`"+path+"`") {
			t.Errorf("docs/status.md does not name %s", path)
		}
	}
	for _, e := range o.endpoints() {
		if !strings.Contains(string(b), "`"+e.method+" "+e.path+"`") {
			t.Errorf("docs/status.md does not name %s %s", e.method, e.path)
		}
	}
}

func TestDoorRoot(t *testing.T) {
	c := testConfig(t)
	runFor(t, c, func(addr map[string]string) {
		if code, body := send(t, "GET", "http://"+addr["ports.tempo"]+"/", "", "Accept", "text/html"); code != 200 || !strings.Contains(body, "<h1>Status</h1>") {
			t.Errorf("/ leads to %d %.200s", code, body)
		}
		if code, _ := fetch(t, "http://"+addr["ports.tempo"]+"/nothing"); code != 404 {
			t.Errorf("/nothing: %d", code)
		}
	})
}

func TestVCS(t *testing.T) {
	var b buildInfo
	b.addVCS([]debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"}, {Key: "other", Value: "x"}})
	if b.Revision != "0123456789abcdef" || b.Time != "2026-01-02T03:04:05Z" || !b.Modified || !strings.Contains(b.String(), "revision 0123456789ab of 2026-01-02T03:04:05Z with changes") {
		t.Errorf("%+v: %s", b, b)
	}
}
