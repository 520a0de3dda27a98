// Package status serves pages that show what a process is doing: to people as
// plain HTML without scripts, to programs as JSON. A page is asked for its View
// anew on each request; this package only shows it, and knows nothing of what it
// shows.
package status

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/munnerz/goautoneg"
)

// Page is one page, at /status/NAME.
type Page struct {
	Name  string // empty: the index, at /status
	Title string
	About string // one sentence, for the index
	// Load returns what the page shows now. An error with a method HTTPStatus()
	// int chooses the status of the answer.
	Load func(*http.Request) (*View, error)
}

// View is what a page shows.
type View struct {
	// Data is for programs: what encoding/json makes of it, or JSON as it is if
	// it is a json.RawMessage.
	Data any
	// YAML is another form of Data, for ?format=yaml; there is none if it is nil.
	YAML []byte
	// Sections are for people.
	Sections []Section
}

// Site is a set of pages.
type Site struct {
	version string
	pages   []Page
}

// New returns a site with pages, of which one is the index.
func New(version string, pages []Page) *Site { return &Site{version, pages} }

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Register adds the site's routes: /status, /status/NAME, and the same with
// .json, which is always JSON.
func (s *Site) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /status/style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, files, "style.css")
	})
	for _, p := range s.pages {
		path := strings.TrimSuffix("/status/"+p.Name, "/")
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, &p, "") })
		mux.HandleFunc("GET "+path+".json", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, &p, "json") })
	}
}

const (
	typeJSON = "application/json"
	typeHTML = "text/html"
)

// form chooses between html, json and yaml: by the parameter format, or by the
// header Accept. Who takes anything gets JSON: browsers ask for HTML.
func form(r *http.Request) (string, error) {
	switch f := r.URL.Query().Get("format"); f {
	case "":
	case "html", "json", "yaml":
		return f, nil
	default:
		return "", &Error{http.StatusBadRequest, fmt.Sprintf("format: %.40q is not html, json or yaml", f)}
	}
	if accept := r.Header.Get("Accept"); accept != "" && goautoneg.Negotiate(accept, []string{typeJSON, typeHTML}) == typeHTML {
		return "html", nil
	}
	return "json", nil
}

func (s *Site) serve(w http.ResponseWriter, r *http.Request, p *Page, as string) {
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body, contentType, err := s.render(r, p, as)
	if err != nil {
		code := http.StatusInternalServerError
		if e := interface{ HTTPStatus() int }(nil); errors.As(err, &e) {
			code = e.HTTPStatus()
		}
		http.Error(w, err.Error(), code)
		return
	}
	h.Set("Content-Type", contentType)
	if strings.HasPrefix(contentType, typeHTML) {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin")
	}
	w.Write(body)
}

func (s *Site) render(r *http.Request, p *Page, as string) (body []byte, contentType string, err error) {
	if as == "" {
		if as, err = form(r); err != nil {
			return nil, "", err
		}
	}
	v, err := p.Load(r)
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	switch as {
	case "json":
		if raw, ok := v.Data.(json.RawMessage); ok {
			return raw, typeJSON, nil
		}
		enc := json.NewEncoder(&out)
		enc.SetIndent("", "  ")
		err = enc.Encode(v.Data)
		return out.Bytes(), typeJSON, err
	case "yaml":
		if v.YAML == nil {
			return nil, "", &Error{http.StatusBadRequest, "format: this page is html or json"}
		}
		return v.YAML, "application/yaml; charset=utf-8", nil
	}
	base := "" // of links to other pages; relative, so that the site works below any path
	if p.Name == "" {
		base = "status/"
	}
	err = page.Execute(&out, struct {
		*Page
		*View
		Site    []Page
		Version string
		Base    string
		Home    string
		Query   template.URL
	}{p, v, slices.DeleteFunc(slices.Clone(s.pages), func(p Page) bool { return p.Name == "" }), s.version, base, home(p), query(r)})
	return out.Bytes(), typeHTML + "; charset=utf-8", err
}

// home is the link to the index.
func home(p *Page) string {
	if p.Name == "" {
		return "status"
	}
	return "../status"
}

// query is that of the request as JSON.
func query(r *http.Request) template.URL {
	q := r.URL.Query()
	q.Set("format", "json")
	return template.URL("?" + q.Encode())
}

// Error is an error with a status for HTTP.
type Error struct {
	Code int
	Msg  string
}

func (e *Error) Error() string { return e.Msg }

// HTTPStatus is the status of the answer.
func (e *Error) HTTPStatus() int { return e.Code }
