package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/clewtrace/clew/cmd/internal/conf"
	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/setting"
	"github.com/clewtrace/clew/storage/tenant"
)

//go:generate go test -count=1 -run "^(TestReference|TestMetrics)$" . -update

// config is everything that can be configured. The comments of the fields are
// the reference: they go to docs/configuration.md and into what clew config
// prints.
type config struct {
	// DataDir is the folder of all data of the process; it is made if it does
	// not exist.
	DataDir string `yaml:"data_dir" notempty:"true"`
	// ListenHost is the address that every port is opened on; 0.0.0.0 is all of
	// them. There is no login.
	ListenHost string `yaml:"listen_host" notempty:"true"`
	// Multitenancy makes every request name its tenant, in the header
	// X-Scope-OrgID. Without it there is one tenant, and the header is ignored.
	Multitenancy bool `yaml:"multitenancy"`
	// LogLevel is the least severe level that is logged. It can be changed while
	// Clew runs: PUT /log_level.
	LogLevel string `yaml:"log_level" oneof:"debug info warn error"`
	// MemoryLimitBytes is the soft limit of the Go heap, as in GOMEMLIMIT. 0
	// stands for GOMEMLIMIT if that is set, else for 90 % of the memory limit of
	// the process's cgroup, else for no limit.
	MemoryLimitBytes setting.Bytes `yaml:"memory_limit_bytes" min:"0"`
	// Ports are the TCP ports; 0 takes any free one.
	Ports portsConfig `yaml:"ports"`
	// SelfTracing is about the spans that Clew makes of its own work.
	SelfTracing selfTracingConfig `yaml:"self_tracing"`
	// Distributor is what receives spans.
	Distributor distributor.Config `yaml:"distributor"`
	// Ingester is what makes spans durable and cuts them into blocks.
	Ingester ingester.Config `yaml:"ingester"`
	// Storage is about blocks and how they are read.
	Storage storageConfig `yaml:"storage"`
	// Frontend is what answers queries.
	Frontend frontend.Config `yaml:"frontend"`
	// UI is the web app on the Jaeger port.
	UI uiConfig `yaml:"ui"`

	origins conf.Origins // where values come from that are not the default
}

// portsConfig are the TCP ports of the doors.
type portsConfig struct {
	// OTLPGRPC takes spans over OTLP, by gRPC.
	OTLPGRPC int `yaml:"otlp_grpc" min:"0" max:"65535"`
	// OTLPHTTP takes spans over OTLP, by HTTP.
	OTLPHTTP int `yaml:"otlp_http" min:"0" max:"65535"`
	// Jaeger serves Jaeger's query API.
	Jaeger int `yaml:"jaeger" min:"0" max:"65535"`
	// Tempo serves Tempo's API, /status, /metrics and what else operators need.
	Tempo int `yaml:"tempo" min:"0" max:"65535"`
}

// uiConfig is about the web app on the Jaeger port.
type uiConfig struct {
	// BasePath is the prefix under which clients see the Jaeger port, such as
	// /clew, if a proxy passes it on. Proxies that take it away need no setting.
	BasePath string `yaml:"base_path" notempty:"true"`
	// Path is the folder of a stock build of the Jaeger UI (index.html and
	// static/) to serve in place of Clew's own. Empty: Clew's own.
	Path string `yaml:"path"`
	// ConfigFile is the configuration of that Jaeger UI: .json, or .js with a
	// function UIConfig. It is read again when it changes.
	ConfigFile string `yaml:"config_file"`
}

// storageConfig is about blocks and how they are read.
type storageConfig struct {
	// CacheBytes bounds the decoded parts of blocks that are kept in memory.
	CacheBytes setting.Bytes `yaml:"cache_bytes" min:"1MiB"`
}

// selfTracingConfig is about the spans that Clew makes of its own work.
type selfTracingConfig struct {
	// Enabled makes Clew trace itself.
	Enabled bool `yaml:"enabled"`
	// Tenant gets the spans when multitenancy is on.
	Tenant string `yaml:"tenant"`
	// PushRatio is the share of pushes that are traced. Queries always are.
	PushRatio float64 `yaml:"push_ratio" min:"0" max:"1"`
}

func defaultConfig() config {
	return config{
		DataDir: "clew-data", ListenHost: "127.0.0.1", LogLevel: "info",
		Ports:       portsConfig{OTLPGRPC: 4317, OTLPHTTP: 4318, Jaeger: 16686, Tempo: 3200},
		SelfTracing: selfTracingConfig{Enabled: true, Tenant: "clew", PushRatio: 0.01},
		Distributor: distributor.DefaultConfig(),
		Ingester:    ingester.DefaultConfig(),
		Storage:     storageConfig{CacheBytes: block.DefaultCacheBytes},
		Frontend:    frontend.DefaultConfig(),
		UI:          uiConfig{BasePath: "/"},
		origins:     conf.Origins{},
	}
}

// validate reports every value that cannot work, by its key, with the limit.
func (c *config) validate() error {
	var errs []error
	for _, v := range setting.CheckAll(c) {
		errs = append(errs, c.named(v.Key, v))
	}
	if _, err := tenant.Parse(c.SelfTracing.Tenant); err != nil {
		errs = append(errs, c.named("self_tracing.tenant", fmt.Errorf("self_tracing.tenant: %w", err)))
	}
	if !strings.HasPrefix(c.UI.BasePath, "/") {
		errs = append(errs, c.named("ui.base_path", fmt.Errorf("ui.base_path: %q does not begin with a slash", c.UI.BasePath)))
	}
	if c.UI.ConfigFile != "" && c.UI.Path == "" {
		errs = append(errs, c.named("ui.config_file", errors.New("ui.config_file: is for a stock Jaeger UI: set ui.path too")))
	}
	// A request becomes a portion of the log, and must be read back.
	if most := c.Ingester.MaxPortionBytes; c.Distributor.MaxRequestBytes > most {
		errs = append(errs, c.named("distributor.max_request_bytes", fmt.Errorf("distributor.max_request_bytes: %s is above ingester.max_portion_bytes (%s)", c.Distributor.MaxRequestBytes, most)))
	}
	return errors.Join(errs...)
}

// validateFiles looks at the files and folders that the configuration names. It
// changes nothing.
func (c *config) validateFiles() error {
	var errs []error
	if st, err := os.Stat(c.DataDir); err == nil && !st.IsDir() {
		errs = append(errs, c.named("data_dir", fmt.Errorf("data_dir: %s is not a folder", c.DataDir)))
	}
	if _, err := newWebApp(c, http.NotFoundHandler(), version, slog.New(slog.DiscardHandler)); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// named adds to an error where the value of its key comes from.
func (c *config) named(key string, err error) error {
	if from := c.origins[key]; from != "" {
		return fmt.Errorf("%w (%s)", err, from)
	}
	return err
}
