package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clewtrace/clew/cmd/internal/conf"
	"github.com/clewtrace/clew/storage/setting"
)

func newConfigCommand() *cobra.Command {
	var o configFlags
	var output string
	cmd := &cobra.Command{
		Use: "config", Short: "Print the configuration: the default, or what a file and flags make of it", Args: cobra.NoArgs,
		Long: `Print every key of the configuration with its value, as clew run would have it
with the same flags. As YAML it can be the file of --config, with what each key
means in comments; secrets are not printed.

` + configHelp,
		Example: `  clew config > clew.yaml              # all keys, with their defaults
  clew config --config clew.yaml       # what is in force, and checked
  clew config --set ingester.max_live_bytes=2GiB --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.load(cmd.Flags())
			if err != nil {
				return err
			}
			switch output {
			case "yaml":
				_, err = cmd.OutOrStdout().Write(conf.YAML(c, configComments(c)))
			case "json":
				_, err = cmd.OutOrStdout().Write(conf.JSON(c))
			default:
				err = fmt.Errorf("--output %s: want yaml or json", output)
			}
			return err
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().StringVar(&output, "output", "yaml", "form: yaml or json")
	return cmd
}

// configComments are the comments of a printed configuration: what the keys
// mean, their limits, and the default of those that have another value.
func configComments(c *config) map[string]string {
	d := defaultConfig()
	fields, defaults := setting.Fields(c), setting.Fields(&d)
	out := map[string]string{}
	for i := range fields {
		f := &fields[i]
		text := configDocs[f.Key]
		if limits := setting.Limits(f, fields); limits != "" {
			text += "\nLimits: " + limits
		}
		if was := conf.Text(defaults[i].Value); !f.Section && was != conf.Text(f.Value) {
			text += "\nDefault: " + was
		}
		out[f.Key] = text
	}
	return out
}
