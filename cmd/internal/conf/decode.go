package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clewtrace/clew/storage/setting"
)

// decoder reads nodes into the fields of one struct.
type decoder struct {
	fields  []setting.Field
	keys    map[string]*setting.Field
	file    string // empty: the nodes are of an assignment
	env     Lookup // nil: variables are not expanded
	origins Origins
	errs    []error
}

func newDecoder(dst any, file string) *decoder {
	d := &decoder{fields: setting.Fields(dst), keys: map[string]*setting.Field{}, file: file, origins: Origins{}}
	for i := range d.fields {
		d.keys[d.fields[i].Key] = &d.fields[i]
	}
	return d
}

// parse returns the root of a document, nil if there is nothing in it.
func parse(doc []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	var n yaml.Node
	if err := dec.Decode(&n); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return n.Content[0], nil
}

func cutAssignment(s string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(s, "=")
	key = strings.TrimSpace(key)
	return key, value, ok && key != ""
}

// place is where a node stands.
func (d *decoder) place(n *yaml.Node) string {
	if d.file == "" {
		return "--set"
	}
	return fmt.Sprintf("%s line %d", d.file, n.Line)
}

func (d *decoder) fail(key string, n *yaml.Node, format string, args ...any) {
	at := d.place(n)
	switch {
	case d.file == "":
		at += " " + key
	case key != "":
		at = key + " in " + at
	}
	d.errs = append(d.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// unknown is the error for a key that does not exist.
func (d *decoder) unknown(key string, n *yaml.Node) error {
	err := fmt.Errorf("unknown key %.200s in %s", key, d.place(n))
	if near := nearest(key, d.fields); near != "" {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	section := key[:strings.LastIndexByte(key, '.')+1]
	return fmt.Errorf("%w; the keys there are %s", err, strings.Join(d.names(section), ", "))
}

// names are the names of the keys of a section, given as a prefix.
func (d *decoder) names(prefix string) (out []string) {
	for _, f := range d.fields {
		if name, ok := strings.CutPrefix(f.Key, prefix); ok && !strings.Contains(name, ".") {
			out = append(out, name)
		}
	}
	return out
}

// example is a key in a section.
func (d *decoder) example(section string) string {
	for _, f := range d.fields {
		if !f.Section && strings.HasPrefix(f.Key, section+".") {
			return f.Key
		}
	}
	return section
}

// resolve follows an alias. What it stands for is decoded as if it stood there;
// that ends, since the struct does.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// section reads a mapping into the keys below a prefix, "" or one that ends in
// a dot.
func (d *decoder) section(prefix string, n *yaml.Node) {
	n = resolve(n)
	if null(n) {
		return // a section with nothing in it
	}
	if n.Kind != yaml.MappingNode {
		d.fail(strings.TrimSuffix(prefix, "."), n, "want a section with keys such as %s, not %s", d.names(prefix)[0], describe(n))
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			d.fail(strings.TrimSuffix(prefix, "."), k, "%s: want the name of a key", describe(k))
			continue
		}
		key := prefix + k.Value
		if line, twice := lines[k.Value]; twice {
			d.fail(key, k, "the key is there twice, first in line %d", line)
			continue
		}
		lines[k.Value] = k.Line
		f := d.keys[key]
		switch {
		case f == nil:
			d.errs = append(d.errs, d.unknown(key, k))
		case strings.Contains(k.Value, "."):
			d.fail(key, k, "a key with dots is for --set; in a file, write each section in a line of its own")
		default:
			d.value(f, v)
		}
	}
}

// value reads a node into one field.
func (d *decoder) value(f *setting.Field, n *yaml.Node) {
	place := n
	n = resolve(n)
	if n.Style&yaml.TaggedStyle != 0 {
		d.fail(f.Key, place, "tags such as %s are not read", n.Tag)
		return
	}
	before := len(d.errs)
	switch v := f.Value; {
	case f.Section:
		d.section(f.Key+".", n)
		return
	case v.Kind() == reflect.Slice:
		d.list(f, n)
	case v.Kind() == reflect.Map:
		d.dict(f, n)
	default:
		d.scalar(f, v, n)
	}
	if len(d.errs) == before {
		d.origins[f.Key] = d.place(place)
	}
}

// list reads a list; nothing is one without elements.
func (d *decoder) list(f *setting.Field, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode && !null(n) {
		d.fail(f.Key, n, "want %s such as [a, b], not %s", article(f.Type()), describe(n))
		return
	}
	out := reflect.MakeSlice(f.Value.Type(), len(n.Content), len(n.Content))
	for i, e := range n.Content {
		d.scalar(f, out.Index(i), resolve(e))
	}
	f.Value.Set(out)
}

// dict reads a map; nothing is an empty one.
func (d *decoder) dict(f *setting.Field, n *yaml.Node) {
	if n.Kind != yaml.MappingNode && !null(n) {
		d.fail(f.Key, n, "want %s such as {name: value}, not %s", article(f.Type()), describe(n))
		return
	}
	out := reflect.MakeMap(f.Value.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			d.fail(f.Key, k, "%s: want a name", describe(k))
			continue
		}
		name := reflect.ValueOf(k.Value)
		if out.MapIndex(name).IsValid() {
			d.fail(f.Key, k, "%s is there twice", k.Value)
			continue
		}
		e := reflect.New(out.Type().Elem()).Elem()
		d.scalar(f, e, resolve(n.Content[i+1]))
		out.SetMapIndex(name, e)
	}
	f.Value.Set(out)
}

// scalar reads one value. What its text means depends on the type wanted alone,
// never on how YAML would take it: "no" is a string where one is wanted.
func (d *decoder) scalar(f *setting.Field, v reflect.Value, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		d.fail(f.Key, n, "want %s, not %s", article(setting.TypeOf(v.Type())), describe(n))
		return
	}
	if null(n) {
		d.fail(f.Key, n, "has no value; want %s", article(setting.TypeOf(v.Type())))
		return
	}
	text := n.Value
	if d.env != nil {
		var err error
		if text, err = expand(text, d.env); err != nil {
			d.fail(f.Key, n, "%v", err)
			return
		}
	}
	if err := setting.SetText(v, text); err != nil {
		if v.Type() == reflect.TypeFor[setting.Secret]() {
			d.fail(f.Key, n, "%v", err)
			return
		}
		d.fail(f.Key, n, "%.80q: %v", text, err)
	}
}

// describe says in words what a node is.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "*" + n.Value
	}
	return fmt.Sprintf("%.80q", n.Value)
}

// article puts a or an before the words for a type, but for bytes.
func article(words string) string {
	switch {
	case words == "bytes":
		return words
	case strings.HasPrefix(words, "i"):
		return "an " + words
	}
	return "a " + words
}
