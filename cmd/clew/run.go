package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/frontend"
	"github.com/clewtrace/clew/frontend/jaegerapi"
	"github.com/clewtrace/clew/frontend/tempoapi"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage/backend/local"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/fsys"
)

// stopBudget is how long a stop may take in all; half of it is for requests
// that are under way.
const stopBudget = 10 * time.Second

func newRunCommand() *cobra.Command {
	var o configFlags
	var verify bool
	cmd := &cobra.Command{
		Use: "run", Short: "Run every component in this process (the default)", Args: cobra.NoArgs,
		Long: `Run every component in this process until it is told to stop, by ctrl-C or
SIGTERM. What is open where is printed first; http://localhost:3200/status shows
it while Clew runs.

` + configHelp,
		Example: `  clew run --data-dir /var/lib/clew
  clew run --config clew.yaml --set ingester.max_live_bytes=2GiB
  clew run --config clew.yaml --verify-config`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.load(cmd.Flags())
			if err != nil {
				return err
			}
			if verify {
				if err := c.validateFiles(); err != nil {
					return err
				}
				return c.report(cmd.OutOrStdout(), processMemoryLimit(c))
			}
			return run(cmd.Context(), c, cmd.ErrOrStderr(), nil)
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().BoolVar(&verify, "verify-config", false, "check the configuration, print where it comes from, and exit: with status 0 if it is valid, else 1")
	return cmd
}

// run builds the process, serves until ctx ends, and stops it in reverse:
//
//	OTLP gRPC ┐
//	OTLP HTTP ┴► distributor ─► ingester ─► log, live columns ─► blocks
//	UI, Jaeger ┐                               │                   │
//	Tempo API  ┴► querier ◄────────────────────┴───────────────────┘
//
// ready, if not nil, is called with the open doors.
func run(ctx context.Context, c *config, out interface{ Write([]byte) (int, error) }, ready func([]*door)) error {
	level, err := newLogLevel(c.LogLevel)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log.With("component", "library")) // what net/http and OpenTelemetry have to say
	own := log.With("component", "clew")
	if os.Getenv("GOGC") == "" {
		// Live columns hold no pointers, so collecting often costs little and
		// keeps the process near what it really holds.
		debug.SetGCPercent(50)
	}
	memory := processMemoryLimit(c)
	memory.use(c, own)
	reg := newRegistry()

	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return fmt.Errorf("data directory: %w (choose another with --data-dir)", err)
	}
	dataDir := filepath.ToSlash(c.DataDir)
	cache, err := block.NewCache(int64(c.Storage.CacheBytes), reg)
	if err != nil {
		return err
	}
	defer cache.Close()
	store, err := local.Open(fsys.OS{}, dataDir+"/store")
	if err != nil {
		return err
	}
	defer store.Close()
	blocks, err := blocklist.Open(store, blocklist.Options{Cache: cache, Logger: log.With("component", "blocks"), Registerer: reg})
	if err != nil {
		return err
	}
	ing, err := ingester.Open(fsys.OS{}, dataDir+"/ingester", c.Ingester, blocks, ingester.Options{
		Name: "ingester-0", ClusterID: "local", Logger: log.With("component", "ingester"), Registerer: reg,
	})
	if err != nil {
		return err
	}
	defer ing.Close() // again on the way of errors; closing twice is allowed

	pusher := &tracedPusher{Pusher: ing, sampler: sdktrace.TraceIDRatioBased(c.SelfTracing.PushRatio)}
	dist, err := distributor.New(c.Distributor, pusher, ing.Identity(), distributor.Options{
		Logger: log.With("component", "distributor"), Registerer: reg, Multitenancy: c.Multitenancy,
	})
	if err != nil {
		return err
	}
	tp, stopTracing, err := newSelfTracing(ctx, c, dist, log.With("component", "selftracing"))
	if err != nil {
		return err
	}
	if c.SelfTracing.Enabled && c.SelfTracing.PushRatio > 0 {
		pusher.tracer = tp.Tracer("clew/distributor")
	}
	startCtx, startSpan := tp.Tracer("clew").Start(context.WithoutCancel(ctx), "start")

	q, build := querier.New(ing, blocks), readBuildInfo()
	fo := frontend.Options{Logger: log.With("component", "frontend"), Metrics: frontend.NewMetrics(reg), Multitenancy: c.Multitenancy, Version: build.Version, Revision: build.Revision, Time: build.Time}
	app, err := newWebApp(c, traceQueries(tp, "jaeger", jaegerapi.New(c.Frontend, q, fo)), build.Version, log.With("component", "ui"))
	if err != nil {
		return err
	}
	grpcServer := grpc.NewServer(dist.GRPCOptions()...)
	dist.RegisterOTLP(grpcServer)

	_, listenSpan := tp.Tracer("clew").Start(startCtx, "open doors")
	var doors []*door
	closeDoors := func() {
		for _, d := range doors {
			d.listener.Close()
		}
	}
	for _, d := range []struct {
		name, key string
		port      int
		build     func(d *door)
	}{
		{"OTLP gRPC", "ports.otlp_grpc", c.Ports.OTLPGRPC, func(d *door) { *d = *grpcDoor(d.listener, d.name, d.key, grpcServer) }},
		{"OTLP HTTP", "ports.otlp_http", c.Ports.OTLPHTTP, func(d *door) { *d = *httpDoor(d.listener, d.name, d.key, dist.NewHTTPHandler()) }},
		{"UI, Jaeger query API", "ports.jaeger", c.Ports.Jaeger, func(d *door) { *d = *httpDoor(d.listener, d.name, d.key, app) }},
		{"Tempo API, /metrics, /status", "ports.tempo", c.Ports.Tempo, func(d *door) {
			api := traceQueries(tp, "tempo", tempoapi.New(c.Frontend, q, fo))
			*d = *httpDoor(d.listener, d.name, d.key, newOpsHandler(&ops{c, memory, level, own, ing, blocks, cache, reg, api, func() []*door { return doors }}))
		}},
	} {
		l, err := listen(c.ListenHost, d.port, d.name, d.key)
		if err != nil {
			closeDoors()
			return err
		}
		nd := &door{name: d.name, key: d.key, listener: l}
		d.build(nd)
		doors = append(doors, nd)
	}
	listenSpan.End()

	for _, d := range doors {
		fmt.Fprintf(out, "%-30s %s\n", d.name, d.listener.Addr())
	}
	if !strings.HasPrefix(c.ListenHost, "127.") && c.ListenHost != "localhost" && c.ListenHost != "::1" {
		own.Warn("listening beyond loopback without login: anyone who reaches these ports can read and write", "listen_host", c.ListenHost)
	}

	// Parts run until one fails or ctx ends.
	runCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, d := range doors {
		wg.Go(func() {
			if err := d.serve(); err != nil {
				cancel(err)
			}
		})
	}
	wg.Go(func() {
		if err := ing.Run(runCtx); err != nil {
			cancel(err)
		}
	})
	startSpan.End()
	own.Info("started", "version", version, "data_dir", c.DataDir)
	if ready != nil {
		ready(doors)
	}

	select {
	case <-ctx.Done():
	case <-runCtx.Done():
	}
	cause := context.Cause(runCtx)
	own.Info("stopping")
	stopCtx, stopped := context.WithTimeout(context.Background(), stopBudget/2)
	defer stopped()
	var stops sync.WaitGroup
	for _, d := range doors {
		stops.Go(func() { d.stop(stopCtx) })
	}
	stops.Wait()
	stopTracing(stopCtx)
	cancel(nil)
	wg.Wait()
	err = ing.Close()
	own.Info("stopped")
	return errors.Join(cause, err)
}
