package distributor

import (
	"time"

	"github.com/clewtrace/clew/storage/setting"
)

// Config of the receivers.
type Config struct {
	// MaxRequestBytes bounds one request, compressed and decompressed.
	MaxRequestBytes setting.Bytes `yaml:"max_request_bytes" min:"1KiB" max:"512MiB"`
	// MaxInFlightBytes bounds the requests that are being received or wait for
	// ingesters. Above it requests wait up to PushTimeout, then are refused and
	// may be retried.
	MaxInFlightBytes setting.Bytes `yaml:"max_in_flight_bytes" min:"max_request_bytes"`
	// PushTimeout bounds one push to the ingesters.
	PushTimeout time.Duration `yaml:"push_timeout" min:"1ms"`
	// CORSAllowedOrigins are the origins of browsers that may send OTLP over
	// HTTP; * stands for any run of characters. Empty: none.
	CORSAllowedOrigins []string `yaml:"cors_allowed_origins"`
}

// DefaultConfig is 16 MiB a request, 64 MiB in flight, 10 s.
func DefaultConfig() Config {
	return Config{MaxRequestBytes: 16 << 20, MaxInFlightBytes: 64 << 20, PushTimeout: 10 * time.Second}
}

// Validate reports the first value that cannot work, by its key.
func (c *Config) Validate() error { return setting.Check(c) }
