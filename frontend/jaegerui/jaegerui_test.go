package jaegerui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The marks as they stand in the pages of Jaeger UI 2 and 1.
const (
	pageToday = "<html><head><script>\nconst DEFAULT_CONFIG = null;\n      function getJaegerUiConfig() {\n        const DEFAULT_CONFIG = null;\n" +
		"        const JAEGER_CONFIG = DEFAULT_CONFIG;\n        return JAEGER_CONFIG;\n      }\n" +
		"      // JAEGER_CONFIG_JS\n      // the line above may be replaced\n" +
		"      const JAEGER_BACKEND_CAPABILITIES = DEFAULT_BACKEND_CAPABILITIES;\n      const JAEGER_VERSION = DEFAULT_VERSION;\n</script></head></html>\n"
	pageOfOld = "<html><head><base href=\"/\" data-inject-target=\"BASE_URL\" /><script>const JAEGER_CONFIG = DEFAULT_CONFIG;\n" +
		"const JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;const JAEGER_VERSION = DEFAULT_VERSION;</script></head></html>\n"
)

func build(t *testing.T, page string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "index.html"), page)
	if err := os.Mkdir(filepath.Join(dir, "static"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "static", "main.js"), "js")
	return dir
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, o Options) http.Handler {
	t.Helper()
	if o.API == nil {
		o.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "api "+r.URL.Path) })
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPaths(t *testing.T) {
	dir := build(t, pageOfOld)
	write(t, filepath.Join(filepath.Dir(dir), "secret"), "secret")
	for _, c := range []struct {
		base, path string
		code       int
		want       string // in the body, or the location
	}{
		{"/", "/", 302, "search"},
		{"/", "/search", 200, `<base href="./" />`},
		{"/", "/trace/1234?uiFind=x", 200, `<base href="../" />`},
		{"/", "/static/main.js", 200, "js"},
		{"/", "/static/none.js", 404, ""},
		{"/", "/static/..%2f..%2fsecret", 404, ""},
		{"/", "/api/services", 200, "api /api/services"},
		{"/jaeger", "/jaeger", 302, "jaeger/search"},
		{"/jaeger", "/jaeger/", 302, "search"},
		{"/jaeger", "/jaeger/trace/1", 200, `<base href="../" />`},
		{"/jaeger", "/jaeger/api/services", 200, "api /api/services"},
		{"/jaeger", "/jaegers", 200, `<base href="./" />`},
		{"/api/traces/v1/t/", "/api/traces/v1/t/search", 200, `<base href="./" />`},
		{"/api/traces/v1/t/", "/api/traces/v1/t/api/services", 200, "api /api/services"},
	} {
		w := get(open(t, Options{Dir: dir, BasePath: c.base}), c.path)
		if w.Code != c.code || !strings.Contains(w.Body.String()+w.Header().Get("Location"), c.want) || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("base %s: %s: %d %q %q; want %d with %q", c.base, c.path, w.Code, w.Header().Get("Location"), w.Body, c.code, c.want)
		}
	}
}

func TestInjection(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ui.json"), `{"menu":[{"label":"</script><b>"}]}`)
	write(t, filepath.Join(dir, "ui.js"), "function UIConfig() { return {menu: []}; }")
	for _, c := range []struct {
		page, config string
		want         []string
	}{
		{pageToday, "", []string{"JAEGER_CONFIG = " + defaultConfig + ";", "JAEGER_BACKEND_CAPABILITIES = " + capabilities + ";",
			`const JAEGER_VERSION = {"buildDate":"","gitCommit":"","gitVersion":"v9"};`}},
		{pageToday, "ui.json", []string{`JAEGER_CONFIG = {"menu":[{"label":"\u003c/script\u003e\u003cb\u003e"}]};`}},
		{pageToday, "ui.js", []string{"\nfunction UIConfig() { return {menu: []}; }\n", "JAEGER_CONFIG = DEFAULT_CONFIG;"}},
		{pageOfOld, "", []string{"JAEGER_STORAGE_CAPABILITIES = " + capabilities + ";"}},
	} {
		o := Options{Dir: build(t, c.page), Version: "v9"}
		if c.config != "" {
			o.ConfigFile = filepath.Join(dir, c.config)
		}
		body := get(open(t, o), "/search").Body.String()
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("config %q: no %q in\n%s", c.config, want, body)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"bad.json": "[1]", "none.js": "var x", "end.js": "function UIConfig() {} // </SCRIPT>", "x.yaml": ""} {
		write(t, filepath.Join(dir, name), content)
	}
	good := build(t, pageToday)
	for _, c := range []struct{ dir, config, want string }{
		{filepath.Join(dir, "nowhere"), "", "ui.path"},
		{dir, "", "holds no build of the Jaeger UI"},
		{build(t, "<html></html>"), "", "none of the marks"},
		{good, "nowhere.json", "ui.config_file"},
		{good, "bad.json", "want a JSON object"},
		{good, "none.js", "no function UIConfig"},
		{good, "end.js", "</script>"},
		{good, "x.yaml", "neither .json nor .js"},
	} {
		o := Options{Dir: c.dir}
		if c.config != "" {
			o.ConfigFile = filepath.Join(dir, c.config)
		}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v; want %q", c.dir, c.config, err, c.want)
		}
	}
}

// TestReread changes the configuration under a running door.
func TestReread(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ui.json")
	write(t, file, `{"a":1}`)
	h := open(t, Options{Dir: build(t, pageToday), ConfigFile: file})
	see := func(want string) {
		t.Helper()
		h.(*handler).looked = time.Time{} // as if the time had passed
		if body := get(h, "/search").Body.String(); !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	see(`{"a":1}`)
	later := time.Now().Add(time.Minute)
	for _, c := range []struct{ content, want string }{{`{"a":2}`, `{"a":2}`}, {"broken", `{"a":2}`}, {`{"a":3}`, `{"a":3}`}} {
		write(t, file, c.content)
		if err := os.Chtimes(file, later, later); err != nil {
			t.Fatal(err)
		}
		later = later.Add(time.Minute)
		see(c.want)
	}
}
