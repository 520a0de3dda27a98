package conf

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/clewtrace/clew/storage/setting"
)

// FuzzDecode reads any document with any variable: it never panics, and what it
// accepts is printed so that it is read as the same.
func FuzzDecode(f *testing.F) {
	for _, doc := range []string{
		"data_dir: ${V}\nports: {tempo: 1}\n", "ingester:\n  max_live_bytes: 2GiB\n  block: {max_age: 5m}\n", "remote: {origins: [a, ${V:-b}], sizes: [1kB]}",
		"a: &a [*a]\n", "remote: {headers: {a: ${V}}}\n", "ports: &p {tempo: 1}\ningester: *p\n", "? [a]\n: b", "--- |\n a\n", "data_dir: !!str x", "{a: {b: {c: d}}}", "\x00", "data_dir: $${V}",
	} {
		f.Add([]byte(doc), "v: 1\n")
	}
	f.Fuzz(func(t *testing.T, doc []byte, value string) {
		env := func(string) (string, bool) { return value, true }
		got := defaults()
		if _, err := Decode(&got, "f", doc, env); err != nil {
			_ = err.Error()
			return
		}
		for _, list := range []map[string]setting.Secret{got.Remote.Headers, {"": got.Remote.Password}} {
			for k := range list {
				list[k] = "" // hidden when printed
			}
		}
		got.Remote.Password = ""
		again := sample{}
		if _, err := Decode(&again, "printed", YAML(&got, nil), env); err != nil {
			t.Fatalf("%q is printed as %s, which is refused: %v", doc, YAML(&got, nil), err)
		}
		normal(&got)
		normal(&again)
		if !reflect.DeepEqual(got, again) {
			t.Errorf("%q is %+v, printed as %s, read as %+v", doc, got, YAML(&got, nil), again)
		}
		JSON(&got)
	})
}

// normal makes what is empty nil.
func normal(s *sample) {
	if len(s.Remote.Origins) == 0 {
		s.Remote.Origins = nil
	}
	if len(s.Remote.Sizes) == 0 {
		s.Remote.Sizes = nil
	}
	if len(s.Remote.Headers) == 0 {
		s.Remote.Headers = nil
	}
}

// FuzzExpand expands any text, and any text by way of a variable: the value is
// taken as it is, and changes nothing else.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"a", "${A}", "$${A}", "${A:-b}", "$$$${", "${", "$", "}", "x: 1\nmultitenancy: true", "\"", "'", "#", "- a", "\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		env := func(string) (string, bool) { return s, true }
		_, _ = expand(s, env)
		if got, err := expand(escape(s), env); err != nil || got != s {
			t.Errorf("%q is escaped as %q, expanded as %q, %v", s, escape(s), got, err)
		}
		if got, err := expand("<${A}>", env); err != nil || got != "<"+s+">" {
			t.Errorf("%q as a value: %q, %v", s, got, err)
		}
		got := defaults()
		_, err := Decode(&got, "f", []byte("data_dir: ${A}\n"), env)
		if !utf8.ValidString(s) {
			if err == nil {
				t.Errorf("%q accepted", s)
			}
			return
		}
		want := defaults()
		want.DataDir = s
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	})
}
