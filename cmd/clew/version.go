package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by release builds with -ldflags "-X main.version=…".
var version = "0.1.0-dev"

// buildInfo says what the program was made from. What the build did not record
// is empty.
type buildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Time      string `json:"revision_time"` // of the revision, as in RFC 3339
	Modified  bool   `json:"modified"`      // there were changes that no revision has
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.GoVersion = info.GoVersion
		b.addVCS(info.Settings)
	}
	return b
}

func (b *buildInfo) addVCS(settings []debug.BuildSetting) {
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
}

// String is one line for a person.
func (b buildInfo) String() string {
	s := fmt.Sprintf("clew %s (%s, %s", b.Version, b.GoVersion, b.Platform)
	if b.Revision != "" {
		s += fmt.Sprintf(", revision %.12s of %s", b.Revision, b.Time)
		if b.Modified {
			s += " with changes"
		}
	}
	return s + ")"
}

func newVersionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version, and what it was built from", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuildInfo()
			switch output {
			case "text":
				_, err := fmt.Fprintln(cmd.OutOrStdout(), b)
				return err
			case "json":
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(b)
			}
			return fmt.Errorf("--output %s: want text or json", output)
		},
	}
	cmd.Flags().StringVar(&output, "output", "text", "form: text or json")
	return cmd
}
