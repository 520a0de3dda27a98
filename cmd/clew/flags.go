package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/clewtrace/clew/cmd/internal/conf"
	"github.com/clewtrace/clew/storage/setting"
)

// configFlags are the flags of the commands that read a configuration.
type configFlags struct {
	file                string
	sets                []string
	dataDir, listenHost string
}

// configHelp says in the help of a command how its configuration comes about.
const configHelp = `Configuration is the defaults, over them the file of --config, over it each
--set in their order, and over all --data-dir and --listen-host. A key that does
not exist is an error. In the file, ${NAME} in a value is the environment
variable NAME, and ${NAME:-default} has a default for it. clew config prints
all keys; docs/configuration.md explains them.`

func (o *configFlags) register(f *pflag.FlagSet) {
	d := defaultConfig()
	f.StringVar(&o.file, "config", "", "YAML file with the configuration")
	f.StringArrayVar(&o.sets, "set", nil, "set one key of the configuration: path.to.key=value; repeatable")
	f.StringVar(&o.dataDir, "data-dir", d.DataDir, "folder of all data; made if it does not exist (key data_dir)")
	f.StringVar(&o.listenHost, "listen-host", d.ListenHost, "address to listen on; 0.0.0.0 is all, without login (key listen_host)")
}

// load puts the configuration together and checks it.
func (o *configFlags) load(f *pflag.FlagSet) (*config, error) {
	c := defaultConfig()
	if o.file != "" {
		var err error
		if c.origins, err = conf.Load(&c, o.file, os.LookupEnv); err != nil {
			return nil, err
		}
	}
	for _, s := range o.sets {
		key, err := conf.Set(&c, s)
		if err != nil {
			return nil, err
		}
		c.origins[key] = "--set"
	}
	for _, dedicated := range []struct {
		flag, key string
		from, to  *string
	}{{"data-dir", "data_dir", &o.dataDir, &c.DataDir}, {"listen-host", "listen_host", &o.listenHost, &c.ListenHost}} {
		if f.Changed(dedicated.flag) {
			*dedicated.to = *dedicated.from
			c.origins[dedicated.key] = "--" + dedicated.flag
		}
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &c, nil
}

// report prints what --verify-config found: where each value comes from that
// is not the default, and what may go wrong with values that are valid.
func (c *config) report(w io.Writer, m memoryLimit) error {
	fmt.Fprintln(w, "configuration is valid")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defaults := 0
	for _, f := range setting.Fields(c) {
		from, ok := c.origins[f.Key]
		switch {
		case f.Section:
		case ok:
			fmt.Fprintf(table, "  %s\t%s\t%s\n", f.Key, conf.Text(f.Value), from)
		default:
			defaults++
		}
	}
	fmt.Fprintf(table, "  %d keys\t\tdefault\n", defaults)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "memory limit: %s\n", m)
	if warning := m.check(c); warning != "" {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	return nil
}
