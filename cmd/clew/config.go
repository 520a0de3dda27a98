package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/tenant"
)

// config is everything that can be configured.
type config struct {
	// DataDir holds all data of the process.
	DataDir string `yaml:"data_dir"`
	// ListenHost is the address that every door listens on.
	ListenHost string `yaml:"listen_host"`
	// Multitenancy asks every request for X-Scope-OrgID.
	Multitenancy bool `yaml:"multitenancy"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level"`
	// MemoryLimitBytes is the soft limit for the Go heap; 0 leaves GOMEMLIMIT.
	MemoryLimitBytes int64              `yaml:"memory_limit_bytes"`
	Ports            portsConfig        `yaml:"ports"`
	SelfTracing      selfTracingConfig  `yaml:"self_tracing"`
	Distributor      distributor.Config `yaml:"distributor"`
	Ingester         ingester.Config    `yaml:"ingester"`
	Storage          storageConfig      `yaml:"storage"`
	Frontend         frontend.Config    `yaml:"frontend"`
	UI               uiConfig           `yaml:"ui"`
}

// portsConfig are the TCP ports of the doors; 0 takes any free one.
type portsConfig struct {
	OTLPGRPC int `yaml:"otlp_grpc"`
	OTLPHTTP int `yaml:"otlp_http"`
	Jaeger   int `yaml:"jaeger"`
	Tempo    int `yaml:"tempo"`
}

// uiConfig is about the web app on the Jaeger door.
type uiConfig struct {
	// BasePath is the prefix under which clients see the Jaeger door, such as
	// /clew, if a proxy passes it on. Proxies that take it away need no setting.
	BasePath string `yaml:"base_path"`
}

// storageConfig is about blocks and how they are read.
type storageConfig struct {
	// CacheBytes bounds the decoded parts of blocks that are kept in memory.
	CacheBytes int64 `yaml:"cache_bytes"`
}

// selfTracingConfig is about the spans that Clew makes of its own work.
type selfTracingConfig struct {
	Enabled bool `yaml:"enabled"`
	// Tenant gets the spans when multitenancy is on.
	Tenant string `yaml:"tenant"`
	// PushRatio is the share of pushes that are traced, 0 to 1. Queries always are.
	PushRatio float64 `yaml:"push_ratio"`
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
	}
}

// validate reports the first value that cannot work, by its key.
func (c *config) validate() error {
	for key, port := range map[string]int{"otlp_grpc": c.Ports.OTLPGRPC, "otlp_http": c.Ports.OTLPHTTP, "jaeger": c.Ports.Jaeger, "tempo": c.Ports.Tempo} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("ports.%s: %d is not a port", key, port)
		}
	}
	if c.DataDir == "" {
		return errors.New("data_dir: must not be empty")
	}
	if c.SelfTracing.PushRatio < 0 || c.SelfTracing.PushRatio > 1 {
		return fmt.Errorf("self_tracing.push_ratio: %v is not between 0 and 1", c.SelfTracing.PushRatio)
	}
	if !strings.HasPrefix(c.UI.BasePath, "/") {
		return fmt.Errorf("ui.base_path: %q does not begin with a slash", c.UI.BasePath)
	}
	if c.Storage.CacheBytes < 1<<20 {
		return fmt.Errorf("storage.cache_bytes: %d is below 1 MiB", c.Storage.CacheBytes)
	}
	if _, err := tenant.Parse(c.SelfTracing.Tenant); err != nil {
		return fmt.Errorf("self_tracing.tenant: %w", err)
	}
	if _, err := parseLevel(c.LogLevel); err != nil {
		return fmt.Errorf("log_level: %w", err)
	}
	for key, v := range map[string]interface{ Validate() error }{"distributor": &c.Distributor, "ingester": &c.Ingester, "frontend": &c.Frontend} {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("%s.%w", key, err)
		}
	}
	return nil
}

// load reads a YAML file into c. A key that does not exist is an error.
func (c *config) load(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := c.decode(b); err != nil {
		return fmt.Errorf("configuration %s: %w", file, err)
	}
	return nil
}

func (c *config) decode(b []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// set applies path.to.key=value.
func (c *config) set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return fmt.Errorf("--set %s: want path.to.key=value", assignment)
	}
	var doc strings.Builder
	parts := strings.Split(key, ".")
	for depth, p := range parts {
		fmt.Fprintf(&doc, "%s%s:", strings.Repeat("  ", depth), p)
		if depth < len(parts)-1 {
			doc.WriteString("\n")
		}
	}
	if err := c.decode([]byte(doc.String() + " " + value + "\n")); err != nil {
		return fmt.Errorf("--set %s: %w", assignment, err)
	}
	return nil
}
