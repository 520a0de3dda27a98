package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/clewtrace/clew/cmd/internal/conf"
)

// clew runs the command line and returns what it printed.
func clew(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// file writes a configuration and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clew.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestPrecedence sets one key everywhere, and takes the places away one by one.
func TestPrecedence(t *testing.T) {
	t.Setenv("DIR", "from-the-environment")
	f := file(t, "data_dir: ${DIR}\nlisten_host: 127.0.0.2\nlog_level: warn\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--config", f, "--set", "data_dir=a", "--set", "data_dir=b", "--data-dir", "c"}, "c"},
		{[]string{"--config", f, "--set", "data_dir=a", "--set", "data_dir=b"}, "b"},
		{[]string{"--config", f}, "from-the-environment"},
		{[]string{"--set", "data_dir=a"}, "a"},
		{nil, "clew-data"},
	} {
		out, err := clew(t, append([]string{"config", "--output", "json"}, c.args...)...)
		var got struct {
			DataDir    string `json:"data_dir"`
			ListenHost string `json:"listen_host"`
		}
		if err == nil {
			err = json.Unmarshal([]byte(out), &got)
		}
		if err != nil || got.DataDir != c.want {
			t.Errorf("%v: %q, %v; want %q", c.args, got.DataDir, err, c.want)
		}
	}
	out, err := clew(t, "config", "--config", f, "--listen-host", "::1")
	if err != nil || !strings.Contains(out, "\nlisten_host: ::1\n") || !strings.Contains(out, "\nlog_level: warn\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRefusedConfiguration has the mistakes that only show when all is put
// together; those of single values are tested in package conf.
func TestRefusedConfiguration(t *testing.T) {
	f := file(t, "ingester:\n  max_live_bytes: 100MiB\nports: {tempo: 70000}\nself_tracing:\n  tenant: a/b\n  push_ratio: 2\n")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--config", f}, []string{
			"ingester.block.max_bytes: 200MiB is above ingester.max_live_bytes (100MiB)", "ports.tempo: 70000 is above the limit of 65535 (" + f + " line 3)",
			`self_tracing.tenant: tenant "a/b": character "/" is not permitted`, "self_tracing.push_ratio: 2 is above the limit of 1 (" + f + " line 6)"}},
		{[]string{"--set", "distributor.max_request_bytes=128MiB", "--set", "distributor.max_in_flight_bytes=1GiB"}, []string{
			"distributor.max_request_bytes: 128MiB is above ingester.max_portion_bytes (64MiB) (--set)"}},
		{[]string{"--set", "distributor.max_in_flight_bytes=1MiB"}, []string{"distributor.max_in_flight_bytes: 1MiB is below distributor.max_request_bytes (16MiB) (--set)"}},
		{[]string{"--set", "ingester.log.max_bytes=100MiB"}, []string{"ingester.log.max_bytes: 100MiB is below 2 × ingester.log.segment_bytes (64MiB) (--set)"}},
		{[]string{"--set", "log_level=loud"}, []string{`log_level: "loud" is not debug, info, warn or error (--set)`}},
		{[]string{"--data-dir", ""}, []string{"data_dir: must not be empty (--data-dir)"}},
		{[]string{"--set", "ingester.block.max_aeg=5m"}, []string{"unknown key ingester.block.max_aeg in --set; did you mean ingester.block.max_age?"}},
		{[]string{"--config", filepath.Join(t.TempDir(), "none.yaml")}, []string{"none.yaml", "no such file"}},
		{[]string{"--config", file(t, "ingester:\n  block:\n    max_age: soon\n")}, []string{"ingester.block.max_age in ", `clew.yaml line 3: "soon": want a duration`}},
	} {
		for _, command := range [][]string{{"config"}, {"run", "--verify-config"}, {"--verify-config"}} {
			_, err := clew(t, append(command, c.args...)...)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v %v:\ngot  %v\nwant %s", command, c.args, err, want)
				}
			}
		}
	}
}

func TestVerifyConfig(t *testing.T) {
	f := file(t, "ingester:\n  max_live_bytes: 2GiB\nmemory_limit_bytes: 1GiB\n")
	out, err := clew(t, "run", "--verify-config", "--config", f, "--set", "log_level=debug", "--data-dir", "here")
	for _, want := range []string{
		"configuration is valid\n", "  data_dir", "here", "--data-dir\n", "  ingester.max_live_bytes", "2GiB", f + " line 2\n", "log_level", "debug", "--set\n", " keys", "default\n",
		"memory limit: 1GiB (memory_limit_bytes)\n", "warning: ingester.max_live_bytes (2GiB), storage.cache_bytes (256MiB), distributor.max_in_flight_bytes (64MiB) may take more",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for set, want := range map[string]string{
		"data_dir=" + f:          "data_dir: " + f + " is not a folder (--set)",
		"ui.path=" + t.TempDir(): "ui.path: ",
		"ui.config_file=" + f:    "ui.config_file: is for a stock Jaeger UI",
		"ui.base_path=clew":      "ui.base_path: \"clew\" does not begin with a slash (--set)",
	} {
		if _, err := clew(t, "run", "--verify-config", "--set", set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: %v, want %s", set, err, want)
		}
	}
	if _, err2 := os.Stat("here"); err != nil || err2 == nil {
		t.Errorf("%v; and nothing may be made", err)
	}
}

// TestConfigCommand prints the default configuration, and reads it again.
func TestConfigCommand(t *testing.T) {
	out, err := clew(t, "config")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# data_dir is the folder of all data", "data_dir: clew-data\n", "\ningester:\n", "  max_live_bytes: 1GiB\n", "    max_age: 5m\n", "# Limits: debug, info, warn or error\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	c := config{}
	if _, err := conf.Decode(&c, "printed", []byte(out), os.LookupEnv); err != nil {
		t.Errorf("what is printed is refused: %v", err)
	}
	d := defaultConfig()
	if got, want := string(conf.JSON(&c)), string(conf.JSON(&d)); got != want {
		t.Errorf("read back as\n%s\nwant\n%s", got, want)
	}
	out, err = clew(t, "config", "--config", file(t, out), "--set", "ingester.block.max_age=1h")
	if err != nil || !strings.Contains(out, "    # Limits: at least 1s\n    # Default: 5m\n    max_age: 1h\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := clew(t, "config", "--output", "xml"); err == nil || !strings.Contains(err.Error(), "yaml or json") {
		t.Errorf("--output xml: %v", err)
	}
}

func TestVersionCommand(t *testing.T) {
	out, err := clew(t, "version")
	if err != nil || !strings.HasPrefix(out, "clew "+version+" (go1.") {
		t.Errorf("%q, %v", out, err)
	}
	out, err = clew(t, "version", "--output", "json")
	var b buildInfo
	if err := json.Unmarshal([]byte(out), &b); err != nil || b.Version != version || b.GoVersion == "" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := clew(t, "version", "--output", "xml"); err == nil {
		t.Error("--output xml accepted")
	}
	if err != nil {
		t.Error(err)
	}
}

// TestHelp asks every command for help: it has a sentence, what it does with its
// flags, and --output where it prints data.
func TestHelp(t *testing.T) {
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		out, err := clew(t, append(path, "--help")...)
		if err != nil || cmd.Short == "" || !strings.Contains(out, "Usage:") || !strings.Contains(out, "--help") {
			t.Errorf("clew %v --help: %v\n%s", path, err, out)
		}
		for _, flag := range strings.Split(cmd.LocalFlags().FlagUsages(), "\n") {
			if f := strings.Fields(flag); len(f) > 0 && len(f) < 3 && !strings.Contains(flag, "--help") {
				t.Errorf("clew %v: flag %s is not explained", path, flag)
			}
		}
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub, append(path[:len(path):len(path)], sub.Name()))
			}
		}
	}
	root := newRootCommand()
	walk(root, nil)
	for _, name := range []string{"config", "version", "load"} {
		if cmd, _, err := root.Find([]string{name}); err != nil || cmd.Flags().Lookup("output") == nil {
			t.Errorf("clew %s has no --output: %v", name, err)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, err := clew(t, "completion", shell); err != nil || !strings.Contains(out, "clew") {
			t.Errorf("completion for %s: %v", shell, err)
		}
	}
	if _, err := clew(t, "rnu"); err == nil || !strings.Contains(err.Error(), `unknown command "rnu"`) {
		t.Errorf("a misspelt command: %v", err)
	}
}
