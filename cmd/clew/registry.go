package main

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// registry is a Prometheus registry that can tell of every metric it was given,
// also of those that have no value yet.
type registry struct {
	*prometheus.Registry

	mu   sync.Mutex // guards ours
	ours []prometheus.Collector
}

// newRegistry returns a registry with the metrics of the process.
func newRegistry() *registry {
	r := &registry{Registry: prometheus.NewRegistry()}
	r.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	b := readBuildInfo()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "clew_build_info", Help: "What the program was built from; always 1."}, []string{"version", "revision", "go_version"})
	info.WithLabelValues(b.Version, b.Revision, b.GoVersion).Set(1)
	r.MustRegister(info)
	return r
}

// Register implements prometheus.Registerer.
func (r *registry) Register(c prometheus.Collector) error {
	if err := r.Registry.Register(c); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ours = append(r.ours, c)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (r *registry) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// metricInfo says what one metric is.
type metricInfo struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"` // counter, gauge or histogram
	Labels []string `json:"labels,omitempty"`
	Help   string   `json:"help"`
}

// metrics are those that were registered after the process's own, by name.
func (r *registry) metrics() []metricInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]metricInfo, 0, len(r.ours))
	for _, c := range r.ours {
		descs := make(chan *prometheus.Desc, 1)
		go func() { c.Describe(descs); close(descs) }()
		for d := range descs {
			m := parseDesc(d.String())
			m.Type = typeOf(c)
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b metricInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// descForm is the form in which client_golang prints what it knows of a metric;
// there is no other way to ask it.
var descForm = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"), .*constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

func parseDesc(s string) (m metricInfo) {
	parts := descForm.FindStringSubmatch(s)
	if parts == nil {
		return metricInfo{Name: s}
	}
	m.Name, _ = strconv.Unquote(parts[1])
	m.Help, _ = strconv.Unquote(parts[2])
	if parts[3] != "" {
		m.Labels = strings.Split(parts[3], ",")
	}
	return m
}

func typeOf(c prometheus.Collector) string {
	switch c := c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.HistogramVec:
		return "histogram"
	case prometheus.Metric:
		var m dto.Metric
		switch err := c.Write(&m); {
		case err != nil:
		case m.Counter != nil:
			return "counter"
		case m.Gauge != nil:
			return "gauge"
		case m.Histogram != nil:
			return "histogram"
		}
	}
	return "unknown"
}
