package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// newLogLevel returns a level that can be changed.
func newLogLevel(name string) (*slog.LevelVar, error) {
	l, err := parseLevel(name)
	if err != nil {
		return nil, err
	}
	v := new(slog.LevelVar)
	v.Set(l)
	return v, nil
}

// parseLevel reads the name of a level. slog itself knows more, such as warn+2.
func parseLevel(s string) (l slog.Level, err error) {
	switch s {
	case "debug", "info", "warn", "error":
		return l, l.UnmarshalText([]byte(s))
	}
	return 0, fmt.Errorf("%.80q is not debug, info, warn or error", s)
}

func levelName(l slog.Level) string { return strings.ToLower(l.String()) }

// newLogLevelHandler tells the level (GET) and changes it until the process ends
// (PUT or POST). The level is the parameter log_level, as in Loki, or the body:
// debug, log_level=debug or {"log_level":"debug"}.
func newLogLevelHandler(level *slog.LevelVar, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			name, err := askedLevel(w, r)
			var to slog.Level
			if err == nil {
				to, err = parseLevel(name)
			}
			if err != nil {
				http.Error(w, "log_level: "+err.Error(), http.StatusBadRequest)
				return
			}
			from := level.Level()
			level.Set(min(from, to)) // so that the line is seen
			log.Log(r.Context(), max(slog.LevelInfo, min(from, to)), "log level changed", "from", levelName(from), "to", levelName(to), "client", r.RemoteAddr)
			level.Set(to)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"log_level": levelName(level.Level())})
	})
}

func askedLevel(w http.ResponseWriter, r *http.Request) (string, error) {
	const key = "log_level"
	if s := r.URL.Query().Get(key); s != "" {
		return s, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10))
	if err != nil {
		return "", err
	}
	body := strings.TrimSpace(string(b))
	if strings.HasPrefix(body, "{") {
		var asked map[string]string
		if err := json.Unmarshal(b, &asked); err != nil {
			return "", err
		}
		return asked[key], nil
	}
	if form, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); form == "application/x-www-form-urlencoded" && strings.Contains(body, "=") {
		v, err := url.ParseQuery(body)
		return v.Get(key), err
	}
	return body, nil
}
