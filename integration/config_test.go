package integration

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// runToEnd runs clew until it ends by itself, and returns what it printed and
// its exit status.
func runToEnd(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut strings.Builder
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), append(os.Environ(), env...), &out, &errOut
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), errOut.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), 0
}

// TestVerifyConfigExits holds what --verify-config prints, and its exit status.
func TestVerifyConfigExits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clew.yaml")
	if err := os.WriteFile(file, []byte("ingester:\n  max_live_bytes: ${LIVE}\n  block:\n    max_aeg: 5m\nports: {tempo: high}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := runToEnd(t, nil, "--verify-config", "--config", file)
	want := "clew: ingester.max_live_bytes in " + file + " line 2: the environment variable LIVE is not set; set it, or write ${LIVE:-default}\n" +
		"clew: unknown key ingester.block.max_aeg in " + file + " line 4; did you mean ingester.block.max_age?\n" +
		"clew: ports.tempo in " + file + " line 5: \"high\": want an integer\n"
	if code != 1 || stderr != want || stdout != "" {
		t.Errorf("status %d\n%s%s\nwant 1\n%s", code, stdout, stderr, want)
	}
	if err := os.WriteFile(file, []byte("ingester:\n  max_live_bytes: ${LIVE}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code = runToEnd(t, []string{"LIVE=300MiB", "GOMEMLIMIT=1GiB"}, "--verify-config", "--config", file)
	for _, line := range []string{"configuration is valid\n", "300MiB", file + " line 2\n", "memory limit: 1GiB (GOMEMLIMIT)\n"} {
		if code != 0 || stderr != "" || !strings.Contains(stdout, line) || strings.Contains(stdout, "warning") {
			t.Errorf("status %d, %q is not in\n%s%s", code, line, stdout, stderr)
		}
	}
}

// TestMemoryLimitOfCgroup runs clew in a cgroup with a limit of memory. It is
// passed over where none can be made.
func TestMemoryLimitOfCgroup(t *testing.T) {
	var dir, limit string
	for mount, file := range map[string]string{"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"} { // versions 1 and 2
		d := filepath.Join(mount, "clew-test-"+strconv.Itoa(os.Getpid()))
		if _, err := os.Stat(filepath.Join(mount, "cgroup.procs")); err != nil || os.Mkdir(d, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(d) })
		if os.WriteFile(filepath.Join(d, file), []byte("536870912"), 0o644) == nil {
			dir, limit = d, file
		}
	}
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no cgroup with a limit of memory can be made here")
		}
		t.Skip("no cgroup with a limit of memory can be made here")
	}
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	inside := exec.CommandContext(t.Context(), "sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(dir, "cgroup.procs"), bin, "--verify-config")
	inside.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOMEMLIMIT=") }) // comes before the cgroup
	out, err := inside.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "memory limit: 460MiB (90 % of the 512MiB of the cgroup)\n") || !strings.Contains(string(out), "warning: ingester.max_live_bytes (1GiB), ") {
		t.Errorf("%s of %s: %v\n%s", limit, dir, err, out)
	}
}
