// Package jaegerui serves a stock build of the Jaeger UI in place of Clew's own,
// for those who have one that they like. The build is a folder of the
// operator's; what Jaeger's own server puts into its page is put in here: the
// UI's configuration, the version, what the backend can do, and the base path.
//
// The marks in the page are those of the Jaeger UI (index.html and
// internal/…/static_handler.go of Jaeger 2, and the older forms of 1.x).
package jaegerui

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/clewtrace/clew/frontend"
)

// Options are what the door gets from the process.
type Options struct {
	// Dir is the folder of the build: index.html and static/.
	Dir string
	// ConfigFile is the UI's own configuration: .json, or .js with a function
	// UIConfig. It is read again when it changes. Empty: none.
	ConfigFile string
	// BasePath is as in package ui.
	BasePath string
	// API answers the paths under /api/.
	API     http.Handler
	Version string
	Logger  *slog.Logger // may be nil
}

// reread is how old a page may be before the files are looked at again.
const reread = 10 * time.Second

type handler struct {
	o      Options
	files  http.Handler
	root   fs.FS
	logger *slog.Logger

	mu     sync.Mutex // guards the fields below
	page   *page
	looked time.Time
	stamps [2]time.Time // of index.html and ConfigFile
	failed string       // the last error that was logged
}

// New returns the door, or why the folder is not a build of the Jaeger UI.
func New(o Options) (http.Handler, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	root, err := os.OpenRoot(o.Dir) // links may not lead out of it
	if err != nil {
		return nil, fmt.Errorf("ui.path: %w", err)
	}
	h := &handler{o: o, root: root.FS(), files: http.FileServerFS(root.FS()), logger: o.Logger}
	if err := h.read(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return frontend.Under(o.BasePath, h), nil
}

// read makes the page from the files, if they have changed.
func (h *handler) read() error {
	var stamps [2]time.Time
	st, err := fs.Stat(h.root, "index.html")
	if err != nil {
		return fmt.Errorf("ui.path: %s holds no build of the Jaeger UI: %w", h.o.Dir, err)
	}
	stamps[0] = st.ModTime()
	if h.o.ConfigFile != "" {
		st, err := os.Stat(h.o.ConfigFile)
		if err != nil {
			return fmt.Errorf("ui.config_file: %w", err)
		}
		stamps[1] = st.ModTime()
	}
	if h.page != nil && stamps == h.stamps {
		return nil
	}
	html, err := fs.ReadFile(h.root, "index.html")
	if err != nil {
		return fmt.Errorf("ui.path: read the page of the Jaeger UI: %w", err)
	}
	var config []byte
	if h.o.ConfigFile != "" {
		if config, err = os.ReadFile(h.o.ConfigFile); err != nil {
			return fmt.Errorf("ui.config_file: %w", err)
		}
	}
	p, err := newPage(html, h.o.ConfigFile, config, h.o.Version)
	if err != nil {
		return err
	}
	h.page, h.stamps = p, stamps
	return nil
}

// current is the page. Files that cannot be read now leave the last one.
func (h *handler) current() *page {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(h.looked) >= reread {
		h.looked = now
		before, failed := h.page, ""
		if err := h.read(); err != nil {
			failed = err.Error()
		}
		if failed != h.failed && failed != "" {
			h.logger.Warn("the page of the Jaeger UI stays as it was", "err", failed)
		} else if h.page != before {
			h.logger.Info("the page of the Jaeger UI was read again", "dir", h.o.Dir, "config_file", h.o.ConfigFile)
		}
		h.failed = failed
	}
	return h.page
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.URL.Path
	switch {
	case p == "/api" || strings.HasPrefix(p, "/api/"):
		h.o.API.ServeHTTP(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case p == "" || p == "/":
		// The UI finds its base in the address, and would take the "trace" of a
		// prefix such as /api/traces/v1/TENANT/ for its own.
		frontend.RedirectInto(w, r, "search", http.StatusFound)
	case strings.HasPrefix(p, "/static/") || p == "/favicon.ico":
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(p, "/static/") {
			w.Header().Set("Cache-Control", "max-age=3600")
		}
		h.files.ServeHTTP(w, r)
	default:
		h.servePage(w, r)
	}
}

func (h *handler) servePage(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet {
		_, _ = w.Write(h.current().at(frontend.RelativeBase(r))) // the client may be gone
	}
}
