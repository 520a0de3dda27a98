package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// assets is where names carry a hash of the content, so that they never change.
const assets = "/assets/"

// minGzip is the size from which compressing is worth it.
const minGzip = 1 << 10

// file is one file of the app, ready to be sent.
type file struct {
	contentType, cacheControl, etag string
	plain                           []byte
	packed                          []byte // gzip; nil if it does not pay
}

// load reads all files and compresses them once, which is a few milliseconds.
func load(dist fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		f := newFile(name, b)
		f.pack()
		files[name] = f
		return nil
	})
	return files, err
}

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{
		contentType:  contentType(name),
		cacheControl: "no-cache",
		etag:         base64.RawURLEncoding.EncodeToString(sum[:12]),
		plain:        content,
	}
	if strings.HasPrefix("/"+name, assets) {
		f.cacheControl = "public, max-age=31536000, immutable"
	}
	return f
}

// contentType does not rest on the tables of the machine, which may say
// text/plain of scripts.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func (f *file) pack() {
	if len(f.plain) < minGzip {
		return
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	if _, err := z.Write(f.plain); err != nil {
		panic(err) // memory takes everything
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	if b.Len() < len(f.plain)*9/10 {
		f.packed = b.Bytes()
	}
}

// serve answers GET and HEAD. Each encoding has its own tag, because it is
// other bytes.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	body, tag := f.plain, `"`+f.etag+`"`
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			body, tag = f.packed, `"`+f.etag+`-gzip"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cacheControl)
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// matches reports whether an If-None-Match names the tag. Proxies that compress
// weaken tags, which makes no difference here.
func matches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == tag || t == "*" {
			return true
		}
	}
	return false
}

func acceptsGzip(header string) bool {
	for e := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(e), ";")
		if name == "gzip" || name == "*" {
			q, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
			v, err := strconv.ParseFloat(q, 64)
			return !ok || err == nil && v > 0
		}
	}
	return false
}
