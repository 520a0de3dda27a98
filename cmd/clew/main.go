// Command clew is a distributed tracing backend: every component in one
// process on local disk, and the tools around it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by release builds with -ldflags "-X main.version=…".
var version = "0.1.0-dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clew:", err)
		os.Exit(1)
	}
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
	root.AddCommand(run, newLoadCommand(), newVersionCommand())
	return root
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			goVersion := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "clew %s (%s)\n", version, goVersion)
			return err
		},
	}
}
