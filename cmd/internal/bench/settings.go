package main

// What the bench must know of the server's configuration and metrics, in one
// place.

// door is one of the server's ports.
type door int

const (
	doorGRPC   door = iota // OTLP over gRPC
	doorHTTP               // OTLP over HTTP
	doorJaeger             // Jaeger's query API
	doorTempo              // Tempo's API, /metrics, /ready, /flush
	doorCount
)

// doorKeys are the keys that set the ports.
var doorKeys = [doorCount]string{
	doorGRPC:   "ports.otlp_grpc",
	doorHTTP:   "ports.otlp_http",
	doorJaeger: "ports.jaeger",
	doorTempo:  "ports.tempo",
}

// baseSettings hold for every server that is measured.
var baseSettings = []string{
	"self_tracing.enabled=false",
	"frontend.max_results=1000000", // "all" must not be cut short
	"log_level=warn",
}

// holdBlocks keeps spans in the log until they are flushed.
var holdBlocks = []string{
	"ingester.max_live_bytes=4294967296",
	"ingester.block.max_bytes=4294967296",
	"ingester.block.max_age=1h",
	"ingester.block.max_idle=1h",
}

const (
	flushPath = "/flush" // POST: puts everything in blocks
	readyPath = "/ready"
	readyText = "ready" // its whole answer once the log has been read
	// blockFolder holds a tenant's blocks, somewhere below the data directory.
	blockFolder = "blocks"
)

// liveMetrics are 0 when every span is in a block. Those that the server does
// not have are left out.
var liveMetrics = []string{"clew_ingester_live_spans"}

// writtenMetrics add up to the bytes that the server says it wrote.
var writtenMetrics = []string{"clew_ingester_log_written_bytes_total", "clew_storage_block_written_bytes_total"}
