package main

import (
	"log/slog"
	"net/http"

	"github.com/clewtrace/clew/frontend/jaegerui"
	"github.com/clewtrace/clew/frontend/ui"
)

// newWebApp returns what the Jaeger port serves: the API at /api/, and Clew's
// web app or the stock Jaeger UI that the configuration names.
func newWebApp(c *config, api http.Handler, version string, log *slog.Logger) (http.Handler, error) {
	if c.UI.Path == "" {
		return ui.Handler(ui.Options{API: api, BasePath: c.UI.BasePath}), nil
	}
	log.Info("serving a stock Jaeger UI", "path", c.UI.Path, "config_file", c.UI.ConfigFile)
	return jaegerui.New(jaegerui.Options{Dir: c.UI.Path, ConfigFile: c.UI.ConfigFile, BasePath: c.UI.BasePath, API: api, Version: version, Logger: log})
}
