package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func site() http.Handler {
	mux := http.NewServeMux()
	New("1.2.3", []Page{
		{Title: "Status", About: "All pages.", Load: func(*http.Request) (*View, error) {
			return &View{Data: map[string]int{"spans": 5}}, nil
		}},
		{Name: "blocks", Title: "Blocks", Load: func(r *http.Request) (*View, error) {
			switch r.URL.Query().Get("tenant") {
			case "none":
				return nil, &Error{http.StatusNotFound, "no tenant none"}
			case "broken":
				return nil, errors.New("disk is gone")
			}
			return &View{Data: json.RawMessage("{\"a\": 1}\n"), YAML: []byte("a: 1\n"), Sections: []Section{
				{Title: "Facts", Note: "<b>bold</b>", Facts: []Fact{{"Name", Text("<script>alert(1)</script>")}, {"Tenant", Link("x", "blocks?tenant=%22><b")}, {"Evil", Link("y", "javascript:alert(1)")}}},
				{Table: &Table{Columns: []string{"what", "n"}, Rows: [][]Cell{{Text("a"), Count(1234567)}, {Code("b"), Bytes(int64(3 << 29))}}}},
				{Table: &Table{Columns: []string{"x"}, Empty: "There is nothing."}},
				{Text: "a: </pre>"},
			}}, nil
		}},
	}).Register(mux)
	return mux
}

func get(t *testing.T, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	site().ServeHTTP(w, r)
	return w
}

func TestForms(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	for _, c := range []struct {
		path, accept string
		code         int
		contentType  string
	}{
		{"/status", "", 200, "application/json"},
		{"/status", "*/*", 200, "application/json"},
		{"/status", "application/json", 200, "application/json"},
		{"/status", browser, 200, "text/html; charset=utf-8"},
		{"/status", "text/html", 200, "text/html; charset=utf-8"},
		{"/status", "text/html;q=0.2, application/json", 200, "application/json"},
		{"/status", "image/png", 200, "application/json"},
		{"/status", "nonsense;;;", 200, "application/json"},
		{"/status?format=html", "application/json", 200, "text/html; charset=utf-8"},
		{"/status?format=json", browser, 200, "application/json"},
		{"/status?format=xml", browser, 400, "text/plain; charset=utf-8"},
		{"/status?format=yaml", browser, 400, "text/plain; charset=utf-8"},
		{"/status/blocks?format=yaml", browser, 200, "application/yaml; charset=utf-8"},
		{"/status.json", browser, 200, "application/json"},
		{"/status/blocks.json", browser, 200, "application/json"},
		{"/status/blocks", browser, 200, "text/html; charset=utf-8"},
		{"/status/style.css", "text/css,*/*;q=0.1", 200, "text/css; charset=utf-8"},
		{"/status/blocks?tenant=none", browser, 404, "text/plain; charset=utf-8"},
		{"/status/blocks?tenant=broken", "", 500, "text/plain; charset=utf-8"},
		{"/status/nothing", browser, 404, "text/plain; charset=utf-8"},
	} {
		w := get(t, c.path, c.accept)
		if w.Code != c.code || w.Header().Get("Content-Type") != c.contentType {
			t.Errorf("%s, Accept %q: %d %s; want %d %s", c.path, c.accept, w.Code, w.Header().Get("Content-Type"), c.code, c.contentType)
		}
		if w.Code == 200 && !strings.HasSuffix(c.path, ".css") && (w.Header().Get("Vary") != "Accept" || w.Header().Get("Cache-Control") != "no-store") {
			t.Errorf("%s: headers %v", c.path, w.Header())
		}
	}
	if got := get(t, "/status/blocks.json", "").Body.String(); got != "{\"a\": 1}\n" {
		t.Errorf("JSON as it is: %s", got)
	}
}

func TestHTML(t *testing.T) {
	w := get(t, "/status/blocks?tenant=a%20b", "text/html")
	body := w.Body.String()
	for _, want := range []string{
		`<html lang="en">`, "<title>Blocks – Clew</title>", "1.2.3", `aria-current="page"`, `href="../status"`, `href="style.css"`,
		"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;b&gt;bold&lt;/b&gt;", "&lt;/pre&gt;", "1,234,567", `title="1,610,612,736 bytes">1.5 GiB`, `<th scope="col" class="number">n`,
		"There is nothing.", `href="?format=json&amp;tenant=a&#43;b"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in\n%s", want, body)
		}
	}
	for _, bad := range []string{"<script", "style=", "<style", "onclick", "javascript:alert", "http://", "https://", "%!", "<no value>"} {
		if strings.Contains(body, bad) {
			t.Errorf("%s is in\n%s", bad, body)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	index := get(t, "/status", "text/html").Body.String()
	for _, want := range []string{`href="status/style.css"`, `href="status/blocks"`, `class="brand" href="status"`} {
		if !strings.Contains(index, want) {
			t.Errorf("index: %s is not in\n%s", want, index)
		}
	}
}

func TestCells(t *testing.T) {
	for _, c := range []struct {
		cell Cell
		want string
	}{
		{Count(0), "0"}, {Count(uint64(1234)), "1,234"}, {Bytes(int64(-5)), "0 B"}, {Bytes(uint64(1 << 30)), "1.0 GiB"},
		{Duration(1234567 * time.Nanosecond), "1.23ms"}, {Duration(0), "0s"}, {Duration(90 * time.Second), "1m30s"}, {Duration(83 * time.Microsecond), "83µs"},
		{Time(time.Time{}), "–"}, {Time(time.Unix(0, 0)), "1970-01-01 00:00:00 UTC"},
	} {
		if c.cell.Text != c.want {
			t.Errorf("got %q, want %q", c.cell.Text, c.want)
		}
	}
}
