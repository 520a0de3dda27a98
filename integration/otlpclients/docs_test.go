package otlpclients

import (
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
)

// TestDocumentedExporters reads the Collector's configurations in the
// documentation as the Collector does: a key or a value that its exporters do
// not take is an error.
func TestDocumentedExporters(t *testing.T) {
	page, err := os.ReadFile("../../docs/send-data.md")
	if err != nil {
		t.Fatal(err)
	}
	factories := map[string]exporter.Factory{}
	for _, f := range []exporter.Factory{otlpexporter.NewFactory(), otlphttpexporter.NewFactory()} {
		factories[f.Type().String()] = f
	}
	seen := map[string]int{}
	for _, part := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		r, err := confmap.NewRetrievedFromYAML([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		conf, err := r.AsConf()
		if err != nil {
			t.Fatal(err)
		}
		if !conf.IsSet("exporters") {
			continue
		}
		exporters, err := conf.Sub("exporters")
		if err != nil {
			t.Fatal(err)
		}
		for name := range exporters.ToStringMap() {
			kind, _, _ := strings.Cut(name, "/")
			f := factories[kind]
			if f == nil {
				t.Errorf("%s: no exporter of that kind is known here", name)
				continue
			}
			seen[kind]++
			sub, err := exporters.Sub(name)
			if err != nil {
				t.Fatal(err)
			}
			cfg := f.CreateDefaultConfig()
			if err := sub.Unmarshal(cfg); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			if err := confmap.Validate(cfg); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			e, err := f.CreateTraces(t.Context(), exporter.Settings{ID: component.NewID(f.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}, cfg)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
				t.Errorf("%s: start: %v", name, err)
			}
			if err := e.Shutdown(t.Context()); err != nil {
				t.Errorf("%s: stop: %v", name, err)
			}
		}
	}
	if len(seen) != len(factories) {
		t.Errorf("exporters documented: %v", seen)
	}
}
