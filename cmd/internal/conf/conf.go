// Package conf reads configuration into a struct whose fields package setting
// knows: from YAML and from assignments of single keys. It is strict: a key that
// does not exist, one that is there twice and a value of another type are
// errors that name the key and the place, and all of them are reported at once.
// It prints such a struct, too, as YAML with comments and as JSON, and never
// shows a secret.
package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/clewtrace/clew/storage/setting"
)

// maxFile is the largest configuration that is read.
const maxFile = 1 << 20

// Lookup gives environment variables, as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Origins says where values come from, by key; keys that have their default are
// not in it.
type Origins map[string]string

// Load is Decode of a file.
func Load(dst any, file string, env Lookup) (Origins, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	doc, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Decode(dst, file, doc, env)
}

// Decode reads a YAML document into dst, a pointer to a struct. Keys that the
// document does not have keep what dst had. Variables in values are expanded:
// ${NAME}, ${NAME:-default}; see expand. name is that of the file, for errors.
// After an error dst may be half changed.
func Decode(dst any, name string, doc []byte, env Lookup) (Origins, error) {
	if len(doc) > maxFile {
		return nil, fmt.Errorf("configuration %s has more than %s", name, setting.Bytes(maxFile))
	}
	n, err := parse(doc)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, err)
	}
	d := newDecoder(dst, name)
	d.env = env
	if n != nil {
		d.section("", n)
	}
	return d.origins, errors.Join(d.errs...)
}

// Set applies an assignment path.to.key=value and returns the key. The value of
// a list or a map is YAML; every other is taken as it stands, and nothing is
// expanded.
func Set(dst any, assignment string) (key string, err error) {
	key, value, ok := cutAssignment(assignment)
	if !ok {
		return "", fmt.Errorf("--set %.80s: want path.to.key=value", assignment)
	}
	d := newDecoder(dst, "")
	f, ok := d.keys[key]
	switch {
	case !ok:
		return "", d.unknown(key, nil)
	case f.Section:
		return "", fmt.Errorf("--set %s: a section; set its keys one by one, such as %s", key, d.example(key))
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
	if k := f.Value.Kind(); k == reflect.Slice || k == reflect.Map {
		if n, err = parse([]byte(value)); err != nil {
			return "", fmt.Errorf("--set %s: %w", key, err)
		}
		if n == nil {
			n = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
		}
	}
	d.value(f, n)
	return key, errors.Join(d.errs...)
}
