package conf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clewtrace/clew/storage/setting"
)

// YAML prints cfg, a pointer to a struct, as a document that Decode reads as
// the same, but for secrets, which are hidden and refused. comments are put
// above their keys, each of their lines on lines of its own.
func YAML(cfg any, comments map[string]string) []byte {
	var out bytes.Buffer
	fields := setting.Fields(cfg)
	for i := range fields {
		f := &fields[i]
		indent := strings.Repeat("  ", strings.Count(f.Key, "."))
		if comment := comments[f.Key]; comment != "" {
			if i > 0 && !fields[i-1].Section {
				out.WriteByte('\n')
			}
			for _, line := range wrap(comment, 78-len(indent)) {
				fmt.Fprintf(&out, "%s# %s\n", indent, line)
			}
		}
		if f.Section {
			fmt.Fprintf(&out, "%s%s:\n", indent, f.Name())
			continue
		}
		fmt.Fprintf(&out, "%s%s: %s\n", indent, f.Name(), Text(f.Value))
	}
	return out.Bytes()
}

// wrap breaks each line of text into lines of at most width bytes, where words
// allow it.
func wrap(text string, width int) (lines []string) {
	for given := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(given) {
			if line != "" && len(line)+1+len(word) > width {
				lines = append(lines, line)
				line = ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// Text is the YAML of a value, in one line. Secrets are hidden.
func Text(v reflect.Value) string {
	b, err := yaml.Marshal(node(v))
	if err != nil {
		panic(fmt.Sprintf("conf: print %s: %v", v.Type(), err)) // nodes of strings
	}
	return strings.TrimSuffix(string(b), "\n")
}

func node(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range v.Len() {
			n.Content = append(n.Content, node(v.Index(i)))
		}
		return n
	case reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			n.Content = append(n.Content, text(k.String()), node(v.MapIndex(k)))
		}
		return n
	case reflect.String:
		return text(escape(setting.Text(v)))
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: setting.Text(v)}
}

// text is a string that YAML takes for nothing else, in one line.
func text(s string) *yaml.Node {
	s = strings.ToValidUTF8(s, "\uFFFD")
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// JSON prints cfg, a pointer to a struct, with its keys in their order. Byte
// sizes are numbers, durations strings such as "5m"; secrets are hidden.
func JSON(cfg any) []byte {
	var out bytes.Buffer
	object(&out, reflect.ValueOf(cfg).Elem())
	var indented bytes.Buffer
	if err := json.Indent(&indented, out.Bytes(), "", "  "); err != nil {
		panic(fmt.Sprintf("conf: %v in %s", err, out.Bytes()))
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

func object(out *bytes.Buffer, v reflect.Value) {
	fields := setting.Fields(v.Addr().Interface())
	out.WriteByte('{')
	first := true
	for i := range fields {
		f := &fields[i]
		if strings.Contains(f.Key, ".") {
			continue // of a section
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		fmt.Fprintf(out, "%q:", f.Key)
		if f.Section {
			object(out, f.Value)
			continue
		}
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(plain(f.Value)); err != nil {
			panic(fmt.Sprintf("conf: print %s: %v", f.Key, err))
		}
	}
	out.WriteByte('}')
}

// plain is what encoding/json prints as we want it.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k))
		}
		return out
	case reflect.Int64:
		if _, isBytes := v.Interface().(setting.Bytes); isBytes {
			return v.Int()
		}
		if v.Type().PkgPath() != "" { // a duration
			return setting.Text(v)
		}
		return v.Int()
	}
	return v.Interface()
}
