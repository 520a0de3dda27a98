package conf

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/clewtrace/clew/storage/setting"
)

// sample has a key of every type, in the shape of a configuration.
type sample struct {
	DataDir  string       `yaml:"data_dir" notempty:"true"`
	Multi    bool         `yaml:"multitenancy"`
	Ports    ports        `yaml:"ports"`
	Ingester ingesterPart `yaml:"ingester"`
	Remote   remote       `yaml:"remote"`
}

type ports struct {
	Tempo  int `yaml:"tempo"`
	Jaeger int `yaml:"jaeger"`
}

type ingesterPart struct {
	MaxLiveBytes setting.Bytes `yaml:"max_live_bytes"`
	Share        float64       `yaml:"share"`
	Block        blockPart     `yaml:"block"`
}

type blockPart struct {
	MaxBytes setting.Bytes `yaml:"max_bytes"`
	MaxAge   time.Duration `yaml:"max_age"`
}

type remote struct {
	Origins  []string                  `yaml:"origins"`
	Sizes    []setting.Bytes           `yaml:"sizes"`
	Password setting.Secret            `yaml:"password"`
	Headers  map[string]setting.Secret `yaml:"headers"`
}

func defaults() sample {
	return sample{DataDir: "data", Ports: ports{3200, 16686}, Ingester: ingesterPart{1 << 30, .5, blockPart{200 << 20, 5 * time.Minute}}}
}

var environment = map[string]string{
	"PORT": "4000", "EMPTY": "", "PASSWORD": "hunter2", "EVIL": "x: 1\nmultitenancy: true\n#", "BRACES": "${PORT} $${PORT}", "AGE": "90s",
}

func lookup(name string) (string, bool) {
	v, ok := environment[name]
	return v, ok
}

func decode(doc string) (sample, Origins, error) {
	s := defaults()
	o, err := Decode(&s, "clew.yaml", []byte(doc), lookup)
	return s, o, err
}

func TestDecode(t *testing.T) {
	got, origins, err := decode(`
# a comment
data_dir: /var/lib/clew   # another
multitenancy: true
ports:
  tempo: 1234
ingester:
  max_live_bytes: 2GiB
  share: 0.25
  block: {max_bytes: 1048576, max_age: 1h30m}
remote:
  origins: [https://a.example, 'https://*.b.example']
  sizes: [1, 2KiB]
  password: ${PASSWORD}
  headers:
    Authorization: Bearer ${PASSWORD}
    X-Plain: "yes"
`)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.DataDir, want.Multi, want.Ports.Tempo = "/var/lib/clew", true, 1234
	want.Ingester = ingesterPart{2 << 30, .25, blockPart{1 << 20, 90 * time.Minute}}
	want.Remote = remote{[]string{"https://a.example", "https://*.b.example"}, []setting.Bytes{1, 2048}, "hunter2",
		map[string]setting.Secret{"Authorization": "Bearer hunter2", "X-Plain": "yes"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if o := origins["ingester.max_live_bytes"]; o != "clew.yaml line 8" {
		t.Errorf("origin %q", o)
	}
	if _, ok := origins["ports.jaeger"]; ok || len(origins) != 11 {
		t.Errorf("origins %v", slicesOf(origins))
	}
}

func slicesOf(o Origins) (out []string) {
	for k, v := range o {
		out = append(out, k+": "+v)
	}
	return out
}

// TestValuesByType holds what a value means to the type of its key, whatever
// YAML would make of it.
func TestValuesByType(t *testing.T) {
	for doc, want := range map[string]string{
		"data_dir: no":           "no",
		"data_dir: 0123":         "0123",
		"data_dir: 1e3":          "1e3",
		"data_dir: 2026-01-02":   "2026-01-02",
		"data_dir: 'null'":       "null",
		"data_dir: ''":           "",
		"data_dir: |\n  a\n  b":  "a\nb",
		"data_dir: >-\n  a\n  b": "a b",
		"x-anchor: 1":            "", // refused below
	} {
		got, _, err := decode(doc)
		if strings.HasPrefix(doc, "x-") {
			if err == nil {
				t.Errorf("%s: accepted", doc)
			}
			continue
		}
		if err != nil || got.DataDir != want {
			t.Errorf("%s: %q, %v; want %q", doc, got.DataDir, err, want)
		}
	}
	got, _, err := decode("data_dir: &d here\nremote:\n  origins: [*d, b, *d]\n")
	if err != nil || !reflect.DeepEqual(got.Remote.Origins, []string{"here", "b", "here"}) {
		t.Errorf("aliases: %q, %v", got.Remote.Origins, err)
	}
	for _, doc := range []string{"", "# nothing\n", "---\n", "ingester:\n", "remote:\n  origins:\n  headers:\n", "{}"} {
		if got, _, err := decode(doc); err != nil || got.Ingester != defaults().Ingester || got.DataDir != "data" {
			t.Errorf("%q: %+v, %v", doc, got, err)
		}
	}
}

// TestRefused has every kind of mistake, and the words for it.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{"a: 1\n", "unknown key a in clew.yaml line 1; the keys there are data_dir, multitenancy, ports, ingester, remote"},
		{"ports:\n  tempo: 1\ningester:\n  block:\n    max_bytes: 1\n\n    max_aeg: 5m\n", "unknown key ingester.block.max_aeg in clew.yaml line 7; did you mean ingester.block.max_age?"},
		{"ingestr:\n  block: 1\n", "unknown key ingestr in clew.yaml line 1; did you mean ingester?"},
		{"max_live_bytes: 1\n", "unknown key max_live_bytes in clew.yaml line 1; did you mean ingester.max_live_bytes?"},
		{"ingester:\n  maxLiveBytes: 1\n", "unknown key ingester.maxLiveBytes in clew.yaml line 2; did you mean ingester.max_live_bytes?"},
		{"ingester:\n  max_live: 1\n", "unknown key ingester.max_live in clew.yaml line 2; did you mean ingester.max_live_bytes?"},
		{"ingester: {block: {nonsense: 1}}", "unknown key ingester.block.nonsense in clew.yaml line 1; the keys there are max_bytes, max_age"},
		{"data_dir: a\nports: {}\ndata_dir: b\n", "data_dir in clew.yaml line 3: the key is there twice, first in line 1"},
		{"ports:\n  tempo: 1\n  tempo: 2\n", "ports.tempo in clew.yaml line 3: the key is there twice, first in line 2"},
		{"ports:\n  tempo: abc\n", `ports.tempo in clew.yaml line 2: "abc": want an integer`},
		{"ports:\n  tempo: 1.5\n", `ports.tempo in clew.yaml line 2: "1.5": want an integer`},
		{"ports:\n  tempo: [1]\n", "ports.tempo in clew.yaml line 2: want an integer, not a list"},
		{"ports:\n  tempo:\n", "ports.tempo in clew.yaml line 2: has no value; want an integer"},
		{"ports: 5\n", `ports in clew.yaml line 1: want a section with keys such as tempo, not "5"`},
		{"multitenancy: yes\n", `multitenancy in clew.yaml line 1: "yes": want true or false`},
		{"ingester:\n  share: half\n", `ingester.share in clew.yaml line 2: "half": want a number`},
		{"ingester:\n  max_live_bytes: much\n", `ingester.max_live_bytes in clew.yaml line 2: "much": want bytes: a number such as 1048576, or one with a unit such as 200MiB or 1.5GB`},
		{"ingester:\n  block:\n    max_age: 5\n", `ingester.block.max_age in clew.yaml line 3: "5": want a duration such as 30s, 5m or 1h30m`},
		{"ingester:\n  max_live_bytes:\n    a: 1\n", "ingester.max_live_bytes in clew.yaml line 3: want bytes, not a section"},
		{"remote:\n  origins: a\n", `remote.origins in clew.yaml line 2: want a list of strings such as [a, b], not "a"`},
		{"remote:\n  origins: [[a]]\n", "remote.origins in clew.yaml line 2: want a string, not a list"},
		{"remote:\n  sizes: [1, x]\n", `remote.sizes in clew.yaml line 2: "x": want bytes`},
		{"remote:\n  headers: [a]\n", "remote.headers in clew.yaml line 2: want a map of secrets such as {name: value}, not a list"},
		{"remote:\n  headers: {a: x, a: y}\n", "remote.headers in clew.yaml line 2: a is there twice"},
		{"remote:\n  password: [hunter2]\n", "remote.password in clew.yaml line 2: want a secret, not a list"},
		{"remote:\n  password: <hidden>\n", "remote.password in clew.yaml line 2: <hidden> stands for a secret"},
		{"- a\n", "clew.yaml line 1: want a section with keys such as data_dir, not a list"},
		{"just text", `clew.yaml line 1: want a section with keys such as data_dir, not "just text"`},
		{"data_dir: a\n---\ndata_dir: b\n", "configuration clew.yaml: more than one document"},
		{"data_dir: a\n  b: c\n", "configuration clew.yaml: line 2: mapping values are not allowed in this context"},
		{"data_dir: [\n", "configuration clew.yaml: line "},
		{"data_dir: *nowhere\n", "configuration clew.yaml: unknown anchor 'nowhere' referenced"},
		{"base: &b {tempo: 1}\nports:\n  <<: *b\n", `ports in clew.yaml line 3: "<<": want the name of a key`},
		{"data_dir: !!binary aGVsbG8=\n", "data_dir in clew.yaml line 1: tags such as !!binary are not read"},
		{"? [a, b]\n: 1\n", "clew.yaml line 1: a list: want the name of a key"},
		{"ingester.max_live_bytes: 1\n", "ingester.max_live_bytes in clew.yaml line 1: a key with dots is for --set"},
		{"data_dir: ${NOWHERE}\n", "data_dir in clew.yaml line 1: the environment variable NOWHERE is not set; set it, or write ${NOWHERE:-default}"},
		{"data_dir: ${}\n", "data_dir in clew.yaml line 1: ${} is not ${NAME} or ${NAME:-default}; write $${ for the characters themselves"},
		{"data_dir: ${PORT-1}\n", "${PORT-1} is not ${NAME}"},
		{"data_dir: ${PORT\n", "${ is not closed by }"},
		{"data_dir: ${NOWHERE:-${PORT}}\n", "the default of ${NOWHERE} holds a variable"},
		{"ports:\n  tempo: ${EMPTY}\n", `ports.tempo in clew.yaml line 2: "": want an integer`},
		{strings.Repeat("#", 1<<20+1), "configuration clew.yaml has more than 1MiB"},
	} {
		_, _, err := decode(c.doc)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200q:\ngot  %v\nwant %s", c.doc, err, c.want)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, _, err := decode("data_dri: a\nports: {tempo: x, jagger: 1}\nmultitenancy: 2\n")
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four lines, got %v", err)
	}
}

// TestExpansion expands variables within values, and shows that what they hold
// is never taken for YAML.
func TestExpansion(t *testing.T) {
	for in, want := range map[string]string{
		"a":                      "a",
		"${PORT}":                "4000",
		"'${PORT}'":              "4000",
		`"x${PORT}y${AGE}"`:      "x4000y90s",
		"${EMPTY}":               "",
		"${EMPTY:-there}":        "there",
		"${NOWHERE:-a:-b}":       "a:-b",
		"'${NOWHERE:-}'":         "",
		"${NOWHERE:-a b}":        "a b",
		"$${PORT}":               "${PORT}",
		"$$${PORT}":              "$${PORT}",
		"$${PORT} ${PORT}":       "${PORT} 4000",
		"$PORT $ $$ a$":          "$PORT $ $$ a$",
		"${BRACES}":              "${PORT} $${PORT}",
		"${EVIL}":                environment["EVIL"],
		"[not, a, list] ${PORT}": "", // YAML's mistake, not ours
	} {
		got, _, err := decode("data_dir: " + in + "\n")
		if want == "" && in[0] == '[' {
			if err == nil {
				t.Errorf("%s: accepted", in)
			}
			continue
		}
		if err != nil || got.DataDir != want || got.Multi {
			t.Errorf("%s: %q, %v; want %q", in, got.DataDir, err, want)
		}
	}
	got, _, err := decode("ports: {tempo: \"${PORT}\"}\ningester: {block: {max_age: \"${AGE}\"}}\nremote: {origins: [\"${EVIL}\", x]}\n")
	if err != nil || got.Ports.Tempo != 4000 || got.Ingester.Block.MaxAge != 90*time.Second || len(got.Remote.Origins) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	// Keys are not expanded, nor what stands in a comment.
	if _, _, err := decode("${NOWHERE}: 1\n"); err == nil || !strings.Contains(err.Error(), "unknown key ${NOWHERE}") {
		t.Errorf("a key: %v", err)
	}
	if _, _, err := decode("# ${NOWHERE}\ndata_dir: a\n"); err != nil {
		t.Errorf("a comment: %v", err)
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		in, key string
		want    any
	}{
		{"data_dir=/a b: c # d", "data_dir", "/a b: c # d"},
		{"data_dir=", "data_dir", ""},
		{"data_dir=a=b", "data_dir", "a=b"},
		{"data_dir=${PORT}", "data_dir", "${PORT}"},
		{"data_dir='quoted'", "data_dir", "'quoted'"},
		{"data_dir=null", "data_dir", "null"},
		{"multitenancy=true", "multitenancy", true},
		{"ports.tempo=0", "ports.tempo", 0},
		{"ingester.max_live_bytes=3MiB", "ingester.max_live_bytes", setting.Bytes(3 << 20)},
		{"ingester.max_live_bytes=3145728", "ingester.max_live_bytes", setting.Bytes(3 << 20)},
		{"ingester.block.max_age=2h", "ingester.block.max_age", 2 * time.Hour},
		{"remote.origins=[a, 'b c']", "remote.origins", []string{"a", "b c"}},
		{"remote.origins=", "remote.origins", []string{}},
		{"remote.password=x", "remote.password", setting.Secret("x")},
		{"remote.headers={a: b}", "remote.headers", map[string]setting.Secret{"a": "b"}},
	} {
		s := defaults()
		key, err := Set(&s, c.in)
		var got any
		for _, f := range setting.Fields(&s) {
			if f.Key == c.key {
				got = f.Value.Interface()
			}
		}
		if err != nil || key != c.key || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %s = %#v, %v; want %#v", c.in, key, got, err, c.want)
		}
	}
	for in, want := range map[string]string{
		"data_dir":                 "--set data_dir: want path.to.key=value",
		"=5":                       "want path.to.key=value",
		"":                         "want path.to.key=value",
		"ports.jeager=1":           "unknown key ports.jeager in --set; did you mean ports.jaeger?",
		"ingestr.block.max_age=1m": "unknown key ingestr.block.max_age in --set; did you mean ingester.block.max_age?",
		"a.b.c.d=1":                "unknown key a.b.c.d in --set",
		"ports.tempo=abc":          `--set ports.tempo: "abc": want an integer`,
		"ports.tempo=":             `--set ports.tempo: "": want an integer`,
		"ingester.block.max_age=5": `--set ingester.block.max_age: "5": want a duration such as 30s, 5m or 1h30m`,
		"ingester.block=5":         "--set ingester.block: a section; set its keys one by one, such as ingester.block.max_bytes",
		"remote.origins=a":         `--set remote.origins: want a list of strings such as [a, b], not "a"`,
		"remote.origins=[a":        "--set remote.origins: line 1: did not find expected",
		"remote.password=<hidden>": "--set remote.password: <hidden> stands for a secret",
	} {
		s := defaults()
		if _, err := Set(&s, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", in, err, want)
		}
	}
}

// TestSecretsAreNotInErrors makes every mistake with a secret.
func TestSecretsAreNotInErrors(t *testing.T) {
	for _, doc := range []string{
		"remote: {password: [\"${PASSWORD}\"]}", "remote: {password: {a: hunter2}}", "remote: {headers: \"${PASSWORD}\"}", "remote: {headers: {a: [hunter2]}}",
		"remote: {headers: [hunter2]}", "remote: {password: \"${PASSWORD}${NOWHERE}\"}",
	} {
		if _, _, err := decode(doc); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestPrint(t *testing.T) {
	s := defaults()
	s.Remote = remote{[]string{"a", "b: c", "${X}"}, []setting.Bytes{1 << 20}, "hunter2", map[string]setting.Secret{"b": "hunter2", "a": ""}}
	got := string(YAML(&s, map[string]string{"data_dir": "Where data are. " + strings.Repeat("More words. ", 8), "ingester.block": "When blocks are cut."}))
	want := `# Where data are. More words. More words. More words. More words. More words.
# More words. More words. More words.
data_dir: data
multitenancy: false
ports:
  tempo: 3200
  jaeger: 16686
ingester:
  max_live_bytes: 1GiB
  share: 0.5

  # When blocks are cut.
  block:
    max_bytes: 200MiB
    max_age: 5m
remote:
  origins: [a, 'b: c', '$${X}']
  sizes: [1MiB]
  password: <hidden>
  headers: {a: "", b: <hidden>}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	wantJSON := `{
  "data_dir": "data",
  "multitenancy": false,
  "ports": {
    "tempo": 3200,
    "jaeger": 16686
  },
  "ingester": {
    "max_live_bytes": 1073741824,
    "share": 0.5,
    "block": {
      "max_bytes": 209715200,
      "max_age": "5m"
    }
  },
  "remote": {
    "origins": [
      "a",
      "b: c",
      "${X}"
    ],
    "sizes": [
      1048576
    ],
    "password": "<hidden>",
    "headers": {
      "a": "",
      "b": "<hidden>"
    }
  }
}
`
	if got := string(JSON(&s)); got != wantJSON {
		t.Errorf("got\n%s\nwant\n%s", got, wantJSON)
	}
}

// TestPrintedIsReadBack prints values that YAML would take for something else.
func TestPrintedIsReadBack(t *testing.T) {
	for _, text := range []string{"a", "true", "123", "1e3", "~", "null", "", " a ", "a: b", "# a", "a #b", "- a", "[a", "{", "'", `"`, "a\nb", "\n", "\t", "ä", "\u2028", "é\x00", "<<", "*a", "&a", "!a", "%a", "@", "`", "$${X}", "${X}", "2026-01-02", "=", "yes", "0x1", ".inf", strings.Repeat("long words ", 50)} {
		want := defaults()
		want.DataDir, want.Remote.Origins = text, []string{text, text}
		got := sample{}
		doc := YAML(&want, map[string]string{"data_dir": "x", "remote.origins": "y\nz: 1"})
		if _, err := Decode(&got, "printed", doc, lookup); err != nil || got.DataDir != text || !reflect.DeepEqual(got.Remote.Origins, want.Remote.Origins) || got.Ingester != want.Ingester {
			t.Errorf("%q: %v\n%s\n%+v", text, err, doc, got)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clew.yaml")
	if _, err := Load(new(sample), file, lookup); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("data_dir: a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := defaults()
	o, err := Load(&s, file, lookup)
	if err != nil || s.DataDir != "a" || !maps.Equal(o, Origins{"data_dir": file + " line 1"}) {
		t.Errorf("%+v, %v, %v", s, o, err)
	}
}
