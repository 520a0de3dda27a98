package frontend

import (
	"fmt"
	"time"
)

// Config of the query APIs.
type Config struct {
	// QueryTimeout ends a request that has no answer yet.
	QueryTimeout time.Duration `yaml:"query_timeout"`
	// MaxResults is the most traces that a search returns; a request for more
	// gets so many.
	MaxResults int `yaml:"max_results"`
	// MaxTraceIDs is the most traces that one request may name.
	MaxTraceIDs int `yaml:"max_trace_ids"`
	// MaxURLBytes bounds path and parameters of a request.
	MaxURLBytes int `yaml:"max_url_bytes"`
	// MaxUploadBytes bounds the body of a request, such as an uploaded trace.
	MaxUploadBytes int64 `yaml:"max_upload_bytes"`
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
func (c *Config) Validate() error {
	switch {
	case c.QueryTimeout <= 0:
		return fmt.Errorf("query_timeout: %s, want more than 0", c.QueryTimeout)
	case c.MaxResults < 1:
		return fmt.Errorf("max_results: %d, want at least 1", c.MaxResults)
	case c.MaxTraceIDs < 1:
		return fmt.Errorf("max_trace_ids: %d, want at least 1", c.MaxTraceIDs)
	case c.MaxURLBytes < 1<<10:
		return fmt.Errorf("max_url_bytes: %d is below 1 KiB", c.MaxURLBytes)
	case c.MaxUploadBytes < 1<<10:
		return fmt.Errorf("max_upload_bytes: %d is below 1 KiB", c.MaxUploadBytes)
	}
	return nil
}
