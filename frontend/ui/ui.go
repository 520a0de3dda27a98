// Package ui is Clew's web app and the handler that serves it. The app's
// sources are in src; dist is what `make ui` builds from them and is committed,
// so that Go alone builds Clew.
package ui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/clewtrace/clew/frontend"
)

//go:embed all:dist
var embedded embed.FS

// Options are what the door gets from the process.
type Options struct {
	// API answers the paths under /api/; nil answers them with 404.
	API http.Handler
	// BasePath is where the door appears to clients if the proxy before it
	// leaves its prefix in the path, such as "/clew/ui". A proxy that takes its
	// prefix away needs nothing here.
	BasePath string
}

// baseHref is in the built page where the path of the app goes.
const baseHref = `<base href="/" />`

// policy allows the page what comes from its own server and nothing else. The
// app has no inline scripts or styles.
const policy = "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"

type handler struct {
	api        http.Handler
	files      map[string]*file
	head, tail []byte // the page, before and after its base
}

// Handler returns a door with the app at / and the API at /api/. Every path
// that is neither a file nor under /api/ is a page of the app.
func Handler(o Options) http.Handler {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return newHandler(dist, o)
}

func newHandler(dist fs.FS, o Options) http.Handler {
	files, err := load(dist)
	if err != nil {
		panic(err) // embedded files are always there
	}
	page := files["index.html"]
	if page == nil {
		panic("ui: dist has no index.html: run make ui")
	}
	head, tail, ok := bytes.Cut(page.plain, []byte(baseHref))
	if !ok {
		panic("ui: dist/index.html has no " + baseHref)
	}
	delete(files, "index.html")
	h := &handler{api: o.API, files: files, head: head, tail: tail}
	if h.api == nil {
		h.api = http.NotFoundHandler()
	}
	return frontend.Under(o.BasePath, h)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.URL.Path
	if p == "/api" || strings.HasPrefix(p, "/api/") {
		h.api.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if p == "" { // a prefix without its slash: relative links would miss
		frontend.RedirectInto(w, r, "", http.StatusPermanentRedirect)
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	if f := h.files[p[1:]]; f != nil {
		f.serve(w, r)
		return
	}
	if strings.HasPrefix(p, assets) { // of another version
		http.NotFound(w, r)
		return
	}
	h.servePage(w, r)
}

// servePage answers with the app.
func (h *handler) servePage(w http.ResponseWriter, r *http.Request) {
	page := bytes.Join([][]byte{h.head, []byte(`<base href="` + frontend.RelativeBase(r) + `" />`), h.tail}, nil)
	w.Header().Set("Content-Security-Policy", policy)
	newFile("index.html", page).serve(w, r)
}
