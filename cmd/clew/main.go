// Command clew is a distributed tracing backend: every component in one
// process on local disk, and the tools around it.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/grpclog"
)

func main() {
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" { // else gRPC's own log was asked for
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, libraryLog{}))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clew:", strings.ReplaceAll(err.Error(), "\n", "\nclew: "))
		os.Exit(1)
	}
}

// libraryLog takes lines of a log for the default logger.
type libraryLog struct{}

func (libraryLog) Write(line []byte) (int, error) {
	slog.Error(strings.TrimSpace(string(line)))
	return len(line), nil
}

func newRootCommand() *cobra.Command {
	run := newRunCommand()
	root := &cobra.Command{
		Use:   "clew",
		Short: "Distributed tracing backend: takes every span, answers any question about it",
		Long: `Clew takes spans over OTLP, makes them durable before it answers, and finds
them at once. Without arguments it runs every component in this process, with
its data in ./clew-data, and listens on loopback only.`,
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs, RunE: run.RunE,
	}
	root.Flags().AddFlagSet(run.Flags())
	root.AddCommand(run, newLoadCommand(), newConfigCommand(), newVersionCommand())
	return root
}
