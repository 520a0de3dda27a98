// Command bench measures the server's figures: it builds clew, starts it as a
// process of its own, sends it the traffic of package loadgen, asks it
// questions, and prints a Markdown table of what was promised and what was
// measured. A figure that is missed is no failure of the command.
//
//	go run ./cmd/internal/bench [-run regexp] [-spans N] [-out FILE]
//
// Generator and server share the machine, as they did when the figures to be
// reached were set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	run      *regexp.Regexp
	spans    int64
	runs     int
	queries  int
	seed     uint64
	out      string
	binary   string
	dir      string
	keep     bool
	settings []string
	list     bool
}

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{run: regexp.MustCompile("")}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: bench [flags]\n\nMeasure clew's figures beside what they are to reach, as a Markdown table.\nFlags:\n")
		f.PrintDefaults()
	}
	f.Func("run", "measure only the figures whose name matches this `regexp` (see -list)", func(s string) (err error) {
		o.run, err = regexp.Compile(s)
		return err
	})
	f.Int64Var(&o.spans, "spans", 1_000_000, "spans of a write run; searches use 4 times, the log 2.5 times as many")
	f.IntVar(&o.runs, "runs", 3, "write runs; the table has their median")
	f.IntVar(&o.queries, "queries", 40, "queries of each kind, at least")
	f.Uint64Var(&o.seed, "seed", 1, "which traffic")
	f.StringVar(&o.out, "out", "", "also write the table to this `file`")
	f.StringVar(&o.binary, "clew", "", "measure this `binary` instead of building ./cmd/clew")
	f.StringVar(&o.dir, "dir", "", "`folder` on the disk to measure (default the system's for temporary files)")
	f.BoolVar(&o.keep, "keep", false, "keep data and the servers' logs")
	f.BoolVar(&o.list, "list", false, "list the figures and stop")
	f.Func("set", "`key=value` of the server's configuration; repeatable", func(s string) error {
		o.settings = append(o.settings, s)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.spans < 1000 || o.runs < 1 || o.queries < 1:
		return nil, errors.New("-spans must be at least 1000, -runs and -queries at least 1")
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	if o.list {
		for _, f := range figures {
			fmt.Fprintf(stdout, "%-16s %s (%s)\n", f.name, f.what, f.reach)
		}
		return nil
	}
	dir, err := os.MkdirTemp(o.dir, "clew-bench-")
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if !o.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	l := &lab{options: o, ctx: ctx, dir: dir, began: time.Now(), log: stderr}
	defer l.close()
	if l.binary = o.binary; l.binary == "" {
		if l.binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	t := &table{machine: describeMachine(dir)}
	for _, f := range figures {
		if !o.run.MatchString(f.name) || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(stderr, "%s: %s\n", f.name, f.what)
		m, err := f.measure(l)
		if err != nil && ctx.Err() != nil {
			break
		}
		t.add(f, m, err)
		fmt.Fprintf(stderr, "  %s\n", t.rows[len(t.rows)-1].measured)
	}
	text := t.markdown(o)
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(text), 0o644); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	return ctx.Err()
}

// build compiles the server of the module that the command runs in.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "clew")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/clewtrace/clew/cmd/clew")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build clew: %w\n%s", err, out)
	}
	return binary, nil
}
