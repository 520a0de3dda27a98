package frontend

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Under takes base from paths that begin with it. Others are served as they
// are, for proxies that have taken it away and for checks that know no base. A
// path that is nothing but the base arrives empty: see RedirectInto.
func Under(base string, h http.Handler) http.Handler {
	base = strings.TrimRight(path.Clean("/"+base), "/")
	if base == "" {
		return h
	}
	stripped := http.StripPrefix(base, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == base || strings.HasPrefix(r.URL.Path, base+"/") {
			stripped.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// RelativeBase is the way from the path asked for to the root of the web app,
// for the base element of a page. It is right behind any number of proxies,
// whatever they take from the path.
func RelativeBase(r *http.Request) string {
	if up := strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1); up != "" {
		return up
	}
	return "./"
}

// RedirectInto sends the client to a place below the path asked for, such as ""
// where a prefix came without its slash and relative links would miss. It does
// not use http.Redirect, which makes the address absolute from what is left of
// the path.
func RedirectInto(w http.ResponseWriter, r *http.Request, place string, code int) {
	if r.URL.Path == "" {
		place = path.Base(requested(r)) + "/" + place
	}
	w.Header().Set("Location", place)
	w.WriteHeader(code)
}

// requested is the path as the client sent it, before prefixes were taken away.
func requested(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}
