package frontend

import (
	"time"

	"github.com/clewtrace/clew/storage/setting"
)

// Config of the query APIs.
type Config struct {
	// QueryTimeout ends a request that has no answer yet.
	QueryTimeout time.Duration `yaml:"query_timeout" min:"1ms"`
	// MaxResults is the most traces that a search returns; a request for more
	// gets so many.
	MaxResults int `yaml:"max_results" min:"1"`
	// MaxTraceIDs is the most traces that one request may name.
	MaxTraceIDs int `yaml:"max_trace_ids" min:"1"`
	// MaxURLBytes bounds path and parameters of a request.
	MaxURLBytes setting.Bytes `yaml:"max_url_bytes" min:"1KiB"`
	// MaxUploadBytes bounds the body of a request, such as an uploaded trace.
	MaxUploadBytes setting.Bytes `yaml:"max_upload_bytes" min:"1KiB"`
}

// DefaultConfig is 30 s and 1500 traces, the most that Jaeger's UI
// asks for.
func DefaultConfig() Config {
	return Config{
		QueryTimeout:   30 * time.Second,
		MaxResults:     1500,
		MaxTraceIDs:    500,
		MaxURLBytes:    64 << 10,
		MaxUploadBytes: 64 << 20,
	}
}

// Validate reports the first value that cannot work, by its key.
func (c *Config) Validate() error { return setting.Check(c) }
