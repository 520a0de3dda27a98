package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// components are those that metrics are named after: the folders of the house.
var components = []string{"distributor", "ingester", "querier", "frontend", "storage"}

// units that are no base unit of Prometheus, in any place of a name.
var wrongUnits = regexp.MustCompile(`_(ms|us|ns|milliseconds|microseconds|nanoseconds|minutes|hours|kb|kib|mb|mib|gb|gib|kilobytes|megabytes|bits|percent|duration|count|sum|bucket)(_|$)`)

// TestMetrics holds all metrics of a running process to the rules for names, and
// docs/metrics.md to what they say of themselves.
func TestMetrics(t *testing.T) {
	var all []metricInfo
	c := testConfig(t)
	runFor(t, c, func(addr map[string]string) {
		all = jsonAt[[]metricInfo](t, "http://"+addr["ports.tempo"]+"/status/metrics")
		if _, body := fetch(t, "http://"+addr["ports.tempo"]+"/metrics"); true {
			for _, name := range regexp.MustCompile(`(?m)^# TYPE (clew_\w+) (\w+)$`).FindAllStringSubmatch(body, -1) {
				i := slices.IndexFunc(all, func(m metricInfo) bool { return m.Name == name[1] })
				if i < 0 || all[i].Type != name[2] {
					t.Errorf("/metrics has %s, a %s; /status/metrics has not", name[1], name[2])
				}
			}
			if !strings.Contains(body, `clew_build_info{go_version="go1.`) || !strings.Contains(body, "go_goroutines") || !strings.Contains(body, "process_cpu_seconds_total") {
				t.Error("the metrics of the process are missing")
			}
		}
	})
	if len(all) < 30 {
		t.Fatalf("only %d metrics", len(all))
	}
	seen := map[string]bool{}
	for _, m := range all {
		for _, problem := range problems(m) {
			t.Errorf("%s: %s", m.Name, problem)
		}
		if seen[m.Name] {
			t.Errorf("%s: registered twice", m.Name)
		}
		seen[m.Name] = true
	}
	doc := filepath.Join(root, "docs/metrics.md")
	same(t, doc, splice(t, doc, metricsReference(all)))
}

// problems are the rules that a metric breaks.
func problems(m metricInfo) (out []string) {
	rule := func(ok bool, format string, args ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	component, thing, _ := strings.Cut(strings.TrimPrefix(m.Name, "clew_"), "_")
	rule(m.Name == "clew_build_info" || strings.HasPrefix(m.Name, "clew_") && slices.Contains(components, component) && thing != "", "want clew_<component>_<thing>, with a component of %v", components)
	rule(regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(m.Name), "want small letters")
	rule(regexp.MustCompile(`^[A-Z0-9].{10,}\.$`).MatchString(m.Help), "help %q: want a sentence", m.Help)
	rule(!wrongUnits.MatchString(strings.TrimSuffix(m.Name, "_total")), "want seconds, bytes or things, and no %q", wrongUnits.FindString(m.Name))
	switch m.Type {
	case "counter":
		rule(strings.HasSuffix(m.Name, "_total"), "a counter ends in _total")
	case "gauge":
		rule(!strings.HasSuffix(m.Name, "_total"), "a gauge does not end in _total")
	case "histogram":
		rule(strings.HasSuffix(m.Name, "_seconds") || strings.HasSuffix(m.Name, "_bytes"), "a histogram ends in its unit")
	default:
		rule(false, "type %s", m.Type)
	}
	for _, unit := range []string{"_seconds", "_bytes"} {
		name := strings.TrimSuffix(m.Name, "_total")
		rule(!strings.Contains(name, unit) || strings.HasSuffix(name, unit), "%s is not at the end", unit)
	}
	if slices.Contains(m.Labels, "reason") {
		rule(strings.Contains(m.Help, "reason"), "help does not explain the label reason")
	}
	return out
}

// TestProblems checks that the rules find what they are for.
func TestProblems(t *testing.T) {
	good := metricInfo{"clew_ingester_log_written_bytes_total", "counter", nil, "Bytes written to the log."}
	if p := problems(good); p != nil {
		t.Errorf("a good one: %v", p)
	}
	for name, spoil := range map[string]func(*metricInfo){
		"no prefix":       func(m *metricInfo) { m.Name = "ingester_things_total" },
		"no component":    func(m *metricInfo) { m.Name = "clew_things_total" },
		"no thing":        func(m *metricInfo) { m.Name, m.Type = "clew_ingester", "gauge" },
		"no total":        func(m *metricInfo) { m.Name = "clew_ingester_things" },
		"a gauge's total": func(m *metricInfo) { m.Type = "gauge" },
		"milliseconds":    func(m *metricInfo) { m.Name = "clew_ingester_wait_ms_total" },
		"unit inside":     func(m *metricInfo) { m.Name = "clew_ingester_bytes_written_total" },
		"no help":         func(m *metricInfo) { m.Help = "" },
		"no sentence":     func(m *metricInfo) { m.Help = "bytes written" },
		"no type":         func(m *metricInfo) { m.Type = "unknown" },
		"no unit":         func(m *metricInfo) { m.Name, m.Type = "clew_ingester_wait", "histogram" },
		"reason":          func(m *metricInfo) { m.Labels = []string{"reason"} },
		"camel case":      func(m *metricInfo) { m.Name = "clew_ingester_badThings_total" },
	} {
		m := good
		spoil(&m)
		if problems(m) == nil {
			t.Errorf("%s: %+v passes", name, m)
		}
	}
}

func metricsReference(all []metricInfo) string {
	var out strings.Builder
	out.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range all {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), m.Help)
	}
	return out.String()
}

// TestRegistry reads what client_golang says of collectors of every kind.
func TestRegistry(t *testing.T) {
	r := newRegistry()
	r.MustRegister(
		prometheus.NewCounter(prometheus.CounterOpts{Name: "a_total", Help: `With "quotes", a \ and a
line.`}),
		prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "b", Help: "B, {braces: {}}.", ConstLabels: prometheus.Labels{"k": "v"}}, []string{"x", "y"}),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c_seconds", Help: "C."}),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "d_seconds", Help: "D."}, []string{"x"}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "e", Help: "E."}, func() float64 { return 1 }),
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "f_total", Help: "F."}, []string{"x"}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", Help: "G."}),
	)
	if err := r.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", Help: "G."})); err == nil {
		t.Error("the same name twice is accepted")
	}
	got := fmt.Sprintf("%q", r.metrics())
	want := fmt.Sprintf("%q", []metricInfo{
		{"a_total", "counter", nil, "With \"quotes\", a \\ and a\nline."}, {"b", "gauge", []string{"x", "y"}, "B, {braces: {}}."}, {"c_seconds", "histogram", nil, "C."},
		{"clew_build_info", "gauge", []string{"version", "revision", "go_version"}, "What the program was built from; always 1."},
		{"d_seconds", "histogram", []string{"x"}, "D."}, {"e", "gauge", nil, "E."}, {"f_total", "counter", []string{"x"}, "F."}, {"g", "gauge", nil, "G."}})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
