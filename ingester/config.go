package ingester

import (
	"time"

	"github.com/clewtrace/clew/storage/setting"
)

// Config of the ingester.
type Config struct {
	// MaxLiveBytes bounds the memory of the spans that are in no block yet,
	// those being built into one included. Above it pushes are refused and may
	// be retried.
	MaxLiveBytes setting.Bytes `yaml:"max_live_bytes" min:"1MiB"`
	// MaxPortionBytes bounds one portion of the log, decompressed: what one
	// request of at most distributor.max_request_bytes becomes. Larger ones that
	// the log has from before are not read.
	MaxPortionBytes setting.Bytes `yaml:"max_portion_bytes" min:"1KiB" max:"1GiB"`
	// Block says when a tenant's live spans are cut into a block: at whichever
	// of its limits comes first.
	Block BlockConfig `yaml:"block"`
	// Log bounds the write-ahead log.
	Log LogConfig `yaml:"log"`
}

// BlockConfig says when live spans are cut into a block.
type BlockConfig struct {
	// MaxBytes is the most that live columns of a block take in memory.
	MaxBytes setting.Bytes `yaml:"max_bytes" min:"64KiB" max:"max_live_bytes"`
	// MaxAge is the longest time from the first span of a block to its cut.
	MaxAge time.Duration `yaml:"max_age" min:"1s"`
	// MaxIdle is the longest time from the last span of a block to its cut.
	MaxIdle time.Duration `yaml:"max_idle" min:"1s"`
}

// LogConfig bounds the write-ahead log.
type LogConfig struct {
	// SegmentBytes is the size at which a segment file is sealed.
	SegmentBytes setting.Bytes `yaml:"segment_bytes" min:"64KiB"`
	// MaxBytes is the disk budget; above it pushes are refused and may be retried.
	MaxBytes setting.Bytes `yaml:"max_bytes" min:"2*segment_bytes"`
	// MinFreeBytes is left free on the disk; below it pushes are refused and may
	// be retried.
	MinFreeBytes setting.Bytes `yaml:"min_free_bytes" min:"0"`
}

// DefaultConfig keeps at most 1 GiB of live columns and 8 GiB of log, and cuts
// blocks at 200 MiB of columns, after 5 minutes, or after 30 s without growth.
func DefaultConfig() Config {
	return Config{
		MaxLiveBytes: 1 << 30, MaxPortionBytes: 64 << 20,
		Block: BlockConfig{MaxBytes: 200 << 20, MaxAge: 5 * time.Minute, MaxIdle: 30 * time.Second},
		Log:   LogConfig{SegmentBytes: 64 << 20, MaxBytes: 8 << 30, MinFreeBytes: 256 << 20},
	}
}

// Validate reports the first value that cannot work, by its key.
func (c *Config) Validate() error { return setting.Check(c) }
