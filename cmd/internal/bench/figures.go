package main

// figures are what is measured, in the order of the table. Those that share a
// run stand together.
var figures = []figure{
	{"cpu", "server CPU, OTLP gRPC in → durable → searchable → block, per million spans", "≤ 4 CPU-s", 4, false, serverCPU},
	{"cpu-ack", "of which until the last acknowledgement", "≤ 2.5 CPU-s", 2.5, false, serverCPUUntilAck},
	{"block-bytes", "bytes per span of a block, all objects", "≤ 60 B", 60, false, blockBytesPerSpan},
	{"written-bytes", "bytes written per span, log and blocks", "≤ 250 B", 250, false, writtenBytesPerSpan},
	{"throughput", "spans per second accepted flat out, beside the generator", "≥ 200,000", 200_000, true, acceptedPerSecond},
	{"memory", "peak resident memory of a write run", "≤ 0.6 GiB", 0.6, false, peakMemory},
	{"stop", "stop on SIGTERM after a write run", "≤ 10 s", 10, false, stopTime},
	{"memory-big", "peak resident memory, four times as many spans", "≤ 1 GiB", 1, false, peakMemoryBig},
	{"id-jaeger", "trace of ≤ 100 spans by ID from a block, Jaeger, p50", "≤ 3 ms", 3, false, traceByIDJaeger},
	{"id-tempo", "the same, Tempo v2", "≤ 3 ms", 3, false, traceByIDTempo},
	{"id-unknown-jaeger", "unknown trace ID, Jaeger, p50", "≤ 1 ms", 1, false, unknownIDJaeger},
	{"id-unknown-tempo", "the same, Tempo v2", "≤ 1 ms", 1, false, unknownIDTempo},
	{"search-operation", "20 newest as summaries: service and operation, p50", "≤ 30 ms", 30, false, searchOperation},
	{"search-tag", "… a rare tag value (user.id)", "≤ 30 ms", 30, false, searchRareTag},
	{"search-duration", "… service and duration", "≤ 30 ms", 30, false, searchDuration},
	{"search-error", "… error=true", "≤ 30 ms", 30, false, searchError},
	{"search-500", "… service and http.response.status_code=500", "≤ 30 ms", 30, false, searchStatus500},
	{"none-tag", "summaries where nothing matches: a tag value that nobody has", "≤ 120 ms", 120, false, searchNoTag},
	{"none-duration", "… a duration that no span of the service has", "≤ 120 ms", 120, false, searchNoDuration},
	{"all-operation", "all summaries: a seldom operation", "≤ 120 ms", 120, false, searchAllOperation},
	{"all-500", "… service and http.response.status_code=500", "≤ 120 ms", 120, false, searchAllStatus500},
	{"jaeger-traces", "Jaeger /api/traces, 20 whole traces, p50", "≤ 100 ms", 100, false, wholeTraces},
	{"id-cold", "trace of ≤ 100 spans by ID, the process just started, p50", "≤ 15 ms", 15, false, traceByIDCold},
	{"log-push", "log of 2.5 times as many spans after kill -9: takes pushes again", "≤ 2 s", 2, false, logPush},
	{"log-search", "… and all is searchable", "≤ 5 s", 5, false, logSearch},
}
