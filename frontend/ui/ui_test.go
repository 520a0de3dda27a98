package ui

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var testAPI = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/services" {
		http.NotFound(w, r)
		return
	}
	fmt.Fprint(w, "services")
})

func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var hrefIn = regexp.MustCompile(`<base href="([^"]*)" />`)

func TestPaths(t *testing.T) {
	root := Handler(Options{API: testAPI})
	// A proxy that takes its prefix away, and one that leaves it.
	stripped := http.StripPrefix("/clew/ui", root)
	prefixed := Handler(Options{API: testAPI, BasePath: "/clew/ui/"})
	gateway := http.StripPrefix("/api/traces/v1/team-a", root)

	for _, c := range []struct {
		name string
		h    http.Handler
		path string
		code int
		base string // of the page; "" if the answer is no page
	}{
		{"root", root, "/", 200, "./"},
		{"root", root, "/search?service=a", 200, "./"},
		{"root", root, "/trace/0af7651916cd43dd8448eb211c80319c?uiFind=x", 200, "../"},
		{"root", root, "/trace/a%2Fb", 200, "../"},
		{"root", root, "/no/such/page", 200, "../../"},
		{"root", root, "/trace/", 200, "../"},
		{"root", root, "/apiary", 200, "./"},
		{"root", root, "/index.html", 200, "./"},
		{"root", root, "/theme.js", 200, ""},
		{"root", root, "/assets/index-0.js", 404, ""},
		{"root", root, "/assets/", 404, ""},
		{"root", root, "/api", 404, ""},
		{"root", root, "/api/", 404, ""},
		{"root", root, "/api/nothing", 404, ""},
		{"root", root, "/api/services", 200, ""},
		{"stripped", stripped, "/clew/ui", 308, ""},
		{"stripped", stripped, "/clew/ui/", 200, "./"},
		{"stripped", stripped, "/clew/ui/trace/1", 200, "../"},
		{"stripped", stripped, "/clew/ui/api/services", 200, ""},
		{"prefixed", prefixed, "/clew/ui", 308, ""},
		{"prefixed", prefixed, "/clew/ui/", 200, "./"},
		{"prefixed", prefixed, "/clew/ui/trace/1", 200, "../"},
		{"prefixed", prefixed, "/clew/ui/api/services", 200, ""},
		{"prefixed", prefixed, "/clew/ui/api/nothing", 404, ""},
		{"prefixed", prefixed, "/clew/uix/trace", 200, "../../"},
		{"prefixed", prefixed, "/trace/1", 200, "../"},
		{"gateway", gateway, "/api/traces/v1/team-a", 308, ""},
		{"gateway", gateway, "/api/traces/v1/team-a/", 200, "./"},
		{"gateway", gateway, "/api/traces/v1/team-a/trace/1", 200, "../"},
		{"gateway", gateway, "/api/traces/v1/team-a/api/services", 200, ""},
	} {
		w := get(c.h, c.path)
		base := ""
		if m := hrefIn.FindStringSubmatch(w.Body.String()); m != nil {
			base = m[1]
		}
		if w.Code != c.code || base != c.base {
			t.Errorf("%s: %s: got %d with base %q, want %d with %q", c.name, c.path, w.Code, base, c.code, c.base)
		}
		if isHTML := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); c.code != 308 && isHTML != (c.base != "") {
			t.Errorf("%s: %s: content type %q", c.name, c.path, w.Header().Get("Content-Type"))
		}
	}
}

// A relative link on the page without a slash would miss the prefix.
func TestRedirectToSlash(t *testing.T) {
	for _, prefix := range []string{"/clew/ui", "/api/traces/v1/team-a"} {
		for name, h := range map[string]http.Handler{
			"stripped": http.StripPrefix(prefix, Handler(Options{})), "prefixed": Handler(Options{BasePath: prefix}),
		} {
			s := httptest.NewServer(h)
			resp, err := http.Get(s.URL + prefix)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Request.URL.Path; got != prefix+"/" || resp.StatusCode != 200 {
				t.Errorf("%s %s: ended at %s with %d", name, prefix, got, resp.StatusCode)
			}
			s.Close()
		}
	}
}

func TestMethods(t *testing.T) {
	h := Handler(Options{})
	for method, code := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "DELETE": 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/search", nil))
		if w.Code != code {
			t.Errorf("%s: got %d, want %d", method, w.Code, code)
		}
		if method == "HEAD" && w.Body.Len() != 0 {
			t.Error("HEAD has a body")
		}
	}
}

func TestPageHeaders(t *testing.T) {
	h := Handler(Options{})
	w := get(h, "/search")
	for name, want := range map[string]string{
		"Content-Security-Policy": policy,
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"Cache-Control":           "no-cache",
		"Content-Type":            "text/html; charset=utf-8",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	tag := w.Header().Get("ETag")
	if again := get(h, "/search", "If-None-Match", tag); again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("same page again: %d with %d bytes", again.Code, again.Body.Len())
	}
	// The page of another depth has another base.
	if other := get(h, "/trace/1", "If-None-Match", tag); other.Code != 200 {
		t.Errorf("other page: %d", other.Code)
	}
}

// What the policy forbids must not be in the page, and nothing is to come from
// another server.
func TestPageKeepsPolicy(t *testing.T) {
	page := get(Handler(Options{}), "/").Body.String()
	if m := regexp.MustCompile(`<script[^>]*>[^<]`).FindString(page); m != "" {
		t.Errorf("inline script: %s", m)
	}
	for _, bad := range []string{"<style", "style=", "onload=", "http://", "https://", "//cdn"} {
		if strings.Contains(page, bad) {
			t.Errorf("page has %s", bad)
		}
	}
}

func TestFiles(t *testing.T) {
	script := []byte(strings.Repeat("export const answer = 42;\n", 100))
	h := newHandler(fstest.MapFS{
		"index.html":       {Data: []byte("<head>" + baseHref + "</head>")},
		"assets/app-1a.js": {Data: script},
		"clew.svg":         {Data: []byte("<svg/>")},
	}, Options{})

	plain := get(h, "/assets/app-1a.js")
	packed := get(h, "/assets/app-1a.js", "Accept-Encoding", "br, gzip;q=0.8")
	if plain.Header().Get("Content-Encoding") != "" || !bytes.Equal(plain.Body.Bytes(), script) {
		t.Error("plain: not the file")
	}
	if packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("packed: no gzip")
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, script) {
		t.Errorf("packed: not the file: %v", err)
	}
	for _, w := range []*httptest.ResponseRecorder{plain, packed} {
		if cc := w.Header().Get("Cache-Control"); cc != "public, max-age=31536000, immutable" {
			t.Errorf("Cache-Control %q", cc)
		}
		if v := w.Header().Get("Vary"); v != "Accept-Encoding" {
			t.Errorf("Vary %q", v)
		}
		if ct := w.Header().Get("Content-Type"); ct != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type %q", ct)
		}
	}
	if plain.Header().Get("ETag") == packed.Header().Get("ETag") {
		t.Error("encodings share a tag")
	}
	if w := get(h, "/assets/app-1a.js", "Accept-Encoding", "gzip", "If-None-Match", "W/"+packed.Header().Get("ETag")); w.Code != 304 {
		t.Errorf("weak tag: %d", w.Code)
	}
	if w := get(h, "/assets/app-1a.js", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("gzip that was refused")
	}
	icon := get(h, "/clew.svg", "Accept-Encoding", "gzip")
	if icon.Header().Get("Cache-Control") != "no-cache" || icon.Header().Get("Content-Type") != "image/svg+xml" || icon.Body.String() != "<svg/>" {
		t.Errorf("icon: %v %q", icon.Header(), icon.Body.String())
	}
}

// The committed output must be whole: every file that the page names is there.
func TestDistIsWhole(t *testing.T) {
	h := Handler(Options{})
	page := get(h, "/").Body.String()
	names := regexp.MustCompile(`(?:src|href)="\./([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(names) < 4 {
		t.Fatalf("the page names %d files", len(names))
	}
	for _, m := range names {
		if w := get(h, "/"+m[1]); w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: %d", m[1], w.Code)
		}
	}
}
