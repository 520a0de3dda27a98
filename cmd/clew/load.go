package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/cmd/internal/loadgen/drive"
)

// loadFlags is the command line of clew load.
type loadFlags struct {
	target        drive.Target
	tenant        string
	headers       []string
	tls, insecure bool
	ca, cert, key string

	seed            uint64
	at              string
	rate            float64
	spans, traces   int64
	duration        time.Duration
	window          time.Duration
	spansPerRequest int
	lateTraces      float64

	replay      bool
	connections int
	aheadMiB    int64
	out         string
	output      string
	quiet       bool
}

func newLoadCommand() *cobra.Command {
	var o loadFlags
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Send realistic traffic: the traces of a shop of twenty services",
		Long: `Send realistic traffic to an OTLP endpoint and report how it was taken.

The spans are those of a shop of twenty services in eight languages: calls over
HTTP and gRPC, databases, caches, queues, failures with stack traces, links,
traces from two to more than a thousand spans, and a few spans that arrive long
after their trace. About 20 spans a trace and 435 bytes a span.

Spans go out through the exporter of the OpenTelemetry Go SDK, as those of an
application do. With --replay they are encoded beforehand and sent as they are,
so that the load costs little beside the server. The same --seed, --at and
numbers make the same spans, and with --replay or --out the same bytes.

With --rate N, spans carry the time at which they are sent. Flat out (--rate 0,
the default with --replay) 20,000 spans are one second of the shop's time, or
--window is all of it; either ends at --at, or begins one hour earlier if there
is no end.

One line a second goes to standard error, the report to standard output.`,
		Example: `  clew load                                     # 1,000 spans a second until ctrl-C
  clew load --rate 200 --duration 10m --tenant acme
  clew load --replay --spans 1000000            # as fast as they are taken
  clew load --protocol http/protobuf --endpoint https://otlp.example.com --ca ca.pem
  clew load --replay --spans 100000 --at 2026-01-02T03:04:05Z --out spans.bin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.replay && !cmd.Flags().Changed("rate") {
				o.rate = 0
			}
			if !cmd.Flags().Changed("seed") {
				o.seed = uint64(rand.Uint32())
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.target.Endpoint, "endpoint", "", "host:port or URL to send to (default localhost:4317, or :4318 over HTTP)")
	f.StringVar(&o.target.Protocol, "protocol", drive.GRPC, "grpc, http/protobuf or http/json")
	f.StringVar(&o.target.Compression, "compression", "none", "none, gzip, zstd or snappy")
	f.StringVar(&o.tenant, "tenant", "", "tenant, sent as X-Scope-OrgID")
	f.StringArrayVar(&o.headers, "header", nil, "key=value to send with each request; repeatable")
	f.BoolVar(&o.tls, "tls", false, "use TLS (an https:// endpoint does, too)")
	f.StringVar(&o.ca, "ca", "", "file with the certificate of the CA to trust; implies --tls")
	f.StringVar(&o.cert, "cert", "", "file with the client's certificate; implies --tls")
	f.StringVar(&o.key, "key", "", "file with the client's private key; implies --tls")
	f.BoolVar(&o.insecure, "insecure-skip-verify", false, "trust any certificate; implies --tls")
	f.Float64Var(&o.rate, "rate", 1000, "spans per second; 0 is flat out")
	f.Int64Var(&o.spans, "spans", 0, "end with the trace that makes so many spans; 0 is no end")
	f.Int64Var(&o.traces, "traces", 0, "end after so many traces; 0 is no end")
	f.DurationVar(&o.duration, "duration", 0, "end after this time; 0 is no end")
	f.IntVar(&o.connections, "connections", 4, "connections, each with one request under way")
	f.IntVar(&o.spansPerRequest, "spans-per-request", 500, "spans of a full request")
	f.Uint64Var(&o.seed, "seed", 0, "which traffic to make (default any)")
	f.StringVar(&o.at, "at", "now", "time to which the spans belong, as in 2026-01-02T03:04:05Z")
	f.DurationVar(&o.window, "window", 0, "flat out, spread the spans over so much time")
	f.Float64Var(&o.lateTraces, "late-traces", 0.01, "share of traces with spans that arrive seconds to minutes late")
	f.BoolVar(&o.replay, "replay", false, "encode requests beforehand and send them without an SDK")
	f.Int64Var(&o.aheadMiB, "ahead-mib", 256, "memory for requests made beforehand, in MiB")
	f.StringVar(&o.out, "out", "", "write the requests to this file, each behind its length as a varint, instead of sending them")
	f.DurationVar(&o.target.Timeout, "timeout", 30*time.Second, "time for one attempt")
	f.DurationVar(&o.target.RetryFor, "retry-for", time.Minute, "how long to try again what is refused")
	f.StringVar(&o.output, "output", "text", "form of the report: text or json")
	f.BoolVar(&o.quiet, "quiet", false, "no line each second")
	return cmd
}

// complete checks the flags that belong together.
func (o *loadFlags) complete() error {
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("--output %s: want text or json", o.output)
	}
	if o.rate < 0 || o.connections < 1 || o.aheadMiB < 1 {
		return errors.New("--rate must not be negative, --connections and --ahead-mib must be positive")
	}
	if o.window != 0 && (o.rate > 0 || o.spans <= 0 || o.window < 0) {
		return errors.New("--window spreads a number of --spans that are sent flat out (--rate 0)")
	}
	o.target.Headers = make(map[string]string)
	for _, h := range o.headers {
		k, v, ok := strings.Cut(h, "=")
		if !ok || k == "" {
			return fmt.Errorf("--header %s: want key=value", h)
		}
		o.target.Headers[k] = v
	}
	if o.tenant != "" {
		o.target.Headers["x-scope-orgid"] = o.tenant
	}
	if o.tls || o.insecure || o.ca+o.cert+o.key != "" {
		var err error
		if o.target.TLS, err = drive.TLSFiles(o.ca, o.cert, o.key, o.insecure); err != nil {
			return err
		}
	}
	return o.target.Validate()
}

// traffic turns the flags into what to make and how to send it.
func (o *loadFlags) traffic(now time.Time) (gen loadgen.Config, run drive.Config, err error) {
	at := now
	if o.at != "now" {
		if at, err = time.Parse(time.RFC3339Nano, o.at); err != nil {
			return gen, run, fmt.Errorf("--at: %w", err)
		}
	}
	o.at = at.UTC().Format(time.RFC3339Nano)
	gen = loadgen.DefaultConfig()
	gen.Seed, gen.Spans, gen.Traces = o.seed, o.spans, o.traces
	gen.SpansPerRequest, gen.LateTraces = o.spansPerRequest, o.lateTraces
	run = drive.Config{Duration: o.duration, AheadBytes: o.aheadMiB << 20, Grace: 3 * time.Second}
	if o.rate > 0 {
		gen.SpansPerSecond, gen.BatchTimeout, gen.Origin = o.rate, time.Second, at
		run.Paced, run.Origin, run.AheadBytes = true, at, min(run.AheadBytes, 8<<20)
		return gen, run, nil
	}
	if o.window > 0 {
		gen.SpansPerSecond = float64(o.spans) / o.window.Seconds()
	}
	length := time.Hour
	switch {
	case o.spans > 0:
		length = time.Duration(float64(o.spans) / gen.SpansPerSecond * 1e9)
	case o.traces > 0:
		length = time.Duration(float64(o.traces) * loadgen.MeanTrace / gen.SpansPerSecond * 1e9)
	}
	gen.Origin = at.Add(-length)
	if !o.replay && o.out == "" {
		run.AheadBytes = min(run.AheadBytes, 32<<20)
	}
	return gen, run, nil
}

func (o *loadFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := o.complete(); err != nil {
		return err
	}
	genConfig, runConfig, err := o.traffic(time.Now())
	if err != nil {
		return err
	}
	gen, err := loadgen.New(genConfig)
	if err != nil {
		return err
	}
	meter := drive.NewMeter()
	senders, err := o.open(ctx, meter)
	if err != nil {
		return err
	}
	if !o.quiet {
		runConfig.Progress = func(p drive.Progress) { printProgress(stderr, p) }
	}
	rep, err := drive.Run(ctx, gen, senders, meter, runConfig)
	for _, s := range senders {
		err = errors.Join(err, s.Close())
	}
	if rep == nil {
		return err
	}
	full := loadReport{Seed: o.seed, At: o.at, Mode: o.mode(), Protocol: o.target.Protocol, Endpoint: o.target.Endpoint, Report: rep}
	if made := gen.Stats(); made.Spans == rep.Spans.Sent {
		full.Made = &madeReport{
			Traces: made.Traces, Spans: made.Spans, Errors: made.Errors, Late: made.Late, Exceptions: made.Exceptions,
			Links: made.Links, WithUser: made.WithUser, LargestTrace: made.LargestTrace, Services: gen.Services(),
		}
	}
	return errors.Join(err, full.print(stdout, o.output))
}

// open makes the connections, or the file that takes their place.
func (o *loadFlags) open(ctx context.Context, m *drive.Meter) ([]drive.Sender, error) {
	if o.out == "" {
		return drive.Open(ctx, &o.target, m, o.connections, o.replay)
	}
	f, err := os.Create(o.out)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	return []drive.Sender{drive.NewFileSender(f, m)}, nil
}

func (o *loadFlags) mode() string {
	switch {
	case o.out != "":
		return "file"
	case o.replay:
		return "replay"
	}
	return "sdk"
}

// loadReport is the JSON form of the final report.
type loadReport struct {
	Seed     uint64 `json:"seed"`
	At       string `json:"at"`
	Mode     string `json:"mode"`
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
	*drive.Report
	// Made is what the generator made; left out if not all of it was sent.
	Made *madeReport `json:"made,omitempty"`
}

type madeReport struct {
	Traces       int64            `json:"traces"`
	Spans        int64            `json:"spans"`
	Errors       int64            `json:"errors"`
	Late         int64            `json:"late"`
	Exceptions   int64            `json:"exceptions"`
	Links        int64            `json:"links"`
	WithUser     int64            `json:"with_user_id"`
	LargestTrace int              `json:"largest_trace"`
	Services     map[string]int64 `json:"services"`
}

func (r *loadReport) print(w io.Writer, form string) error {
	if form == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "sent       %d spans in %d requests, %.1f MB, %.0f bytes a span", r.Spans.Sent, r.Requests, float64(r.Bytes)/1e6, r.BytesPerSpan)
	if r.Made != nil {
		fmt.Fprintf(&b, "; %d traces, %d spans with errors", r.Made.Traces, r.Made.Errors)
	}
	fmt.Fprintf(&b, "\naccepted   %d spans; %d rejected, %d given up; %d attempts refused\n", r.Spans.Acked, r.Spans.Rejected, r.Spans.GivenUp, r.Refused)
	fmt.Fprintf(&b, "took       %.2f s: %.0f spans/s\n", r.Seconds, r.SpansPerSecond)
	fmt.Fprintf(&b, "ack ms     p50 %.2f, p90 %.2f, p99 %.2f, max %.2f\n", r.AckMS.P50, r.AckMS.P90, r.AckMS.P99, r.AckMS.Max)
	fmt.Fprintf(&b, "load's CPU %.2f s, of which %.2f s to make the requests\n", r.CPU.Process, r.CPU.Generator)
	if r.LastError != "" {
		fmt.Fprintf(&b, "last error %s\n", r.LastError)
	}
	fmt.Fprintf(&b, "again with --seed %d --at %s\n", r.Seed, r.At)
	_, err := io.WriteString(w, b.String())
	return err
}

func printProgress(w io.Writer, p drive.Progress) {
	fmt.Fprintf(w, "%5.0fs  sent %d  acked %d (%.0f/s)  rejected %d  given up %d  refused %d  ack ms p50 %.2f p99 %.2f",
		p.Elapsed.Seconds(), p.Sent, p.Acked, p.AckedPerSecond, p.Rejected, p.GivenUp, p.Refused,
		float64(p.P50.Microseconds())/1000, float64(p.P99.Microseconds())/1000)
	if p.LastError != "" {
		fmt.Fprintf(w, "  %s", p.LastError)
	}
	fmt.Fprintln(w)
}
