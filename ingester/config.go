package ingester

import (
	"fmt"
	"time"
)

// Config of the ingester.
type Config struct {
	// MaxLiveBytes bounds the memory of the spans that are in no block yet,
	// those being built into one included. Above it pushes are refused and may
	// be retried.
	MaxLiveBytes int64 `yaml:"max_live_bytes"`
	// MaxPortionBytes bounds one portion, decompressed.
	MaxPortionBytes int `yaml:"max_portion_bytes"`
	// Block says when live spans are cut into a block.
	Block BlockConfig `yaml:"block"`
	// Log is the write-ahead log.
	Log LogConfig `yaml:"log"`
}

// BlockConfig says when a tenant's live spans are cut into a block: at whichever
// comes first.
type BlockConfig struct {
	// MaxBytes is of live columns, in memory.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxAge counts from the first span, MaxIdle from the last.
	MaxAge  time.Duration `yaml:"max_age"`
	MaxIdle time.Duration `yaml:"max_idle"`
}

// LogConfig bounds the write-ahead log.
type LogConfig struct {
	// SegmentBytes is the size at which a segment file is sealed.
	SegmentBytes int64 `yaml:"segment_bytes"`
	// MaxBytes is the disk budget; above it pushes are refused.
	MaxBytes int64 `yaml:"max_bytes"`
	// MinFreeBytes is left free on the disk; below it pushes are refused.
	MinFreeBytes int64 `yaml:"min_free_bytes"`
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
func (c *Config) Validate() error {
	switch {
	case c.MaxLiveBytes < 1<<20:
		return fmt.Errorf("max_live_bytes: %d is below 1 MiB", c.MaxLiveBytes)
	case c.MaxPortionBytes < 1<<10:
		return fmt.Errorf("max_portion_bytes: %d is below 1 KiB", c.MaxPortionBytes)
	case c.Block.MaxBytes < 1<<16:
		return fmt.Errorf("block.max_bytes: %d is below 64 KiB", c.Block.MaxBytes)
	case c.Block.MaxBytes > c.MaxLiveBytes:
		return fmt.Errorf("block.max_bytes: %d is above max_live_bytes (%d)", c.Block.MaxBytes, c.MaxLiveBytes)
	case c.Block.MaxAge < time.Second:
		return fmt.Errorf("block.max_age: %s is below 1s", c.Block.MaxAge)
	case c.Block.MaxIdle < time.Second:
		return fmt.Errorf("block.max_idle: %s is below 1s", c.Block.MaxIdle)
	case c.Log.SegmentBytes < 1<<16:
		return fmt.Errorf("log.segment_bytes: %d is below 64 KiB", c.Log.SegmentBytes)
	case c.Log.MaxBytes < 2*c.Log.SegmentBytes:
		return fmt.Errorf("log.max_bytes: %d is below two segments (log.segment_bytes %d)", c.Log.MaxBytes, c.Log.SegmentBytes)
	case c.Log.MinFreeBytes < 0:
		return fmt.Errorf("log.min_free_bytes: %d is negative", c.Log.MinFreeBytes)
	}
	return nil
}
