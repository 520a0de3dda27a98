package setting

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has a key of every type.
type sample struct {
	On      bool              `yaml:"on"`
	Name    string            `yaml:"name" notempty:"true"`
	Level   string            `yaml:"level" oneof:"low mid high"`
	Port    int               `yaml:"port" min:"0" max:"65535"`
	Share   float64           `yaml:"share" min:"0" max:"1"`
	Budget  Bytes             `yaml:"budget" min:"1MiB"`
	Token   Secret            `yaml:"token"`
	Origins []string          `yaml:"origins"`
	Headers map[string]Secret `yaml:"headers"`
	Inner   inner             `yaml:"inner"`
	_       int
}

type inner struct {
	Part    Bytes         `yaml:"part" max:"budget"`
	Segment Bytes         `yaml:"segment" min:"1KiB"`
	All     Bytes         `yaml:"all" min:"2*segment"`
	Age     time.Duration `yaml:"age" min:"1s" max:"24h"`
}

func valid() *sample {
	return &sample{Name: "x", Level: "mid", Budget: 8 << 20, Inner: inner{Part: 1 << 20, Segment: 4 << 10, All: 8 << 10, Age: time.Minute}}
}

func TestFields(t *testing.T) {
	var got []string
	for _, f := range Fields(valid()) {
		got = append(got, f.Key+" "+f.Type())
	}
	want := []string{"on boolean", "name string", "level string", "port integer", "share number", "budget bytes", "token secret",
		"origins list of strings", "headers map of secrets", "inner section", "inner.part bytes", "inner.segment bytes", "inner.all bytes", "inner.age duration"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCheck(t *testing.T) {
	if err := Check(valid()); err != nil {
		t.Fatalf("valid: %v", err)
	}
	for _, c := range []struct {
		change func(*sample)
		want   string
	}{
		{func(s *sample) { s.Name = "" }, "name: must not be empty"},
		{func(s *sample) { s.Level = "loud" }, `level: "loud" is not low, mid or high`},
		{func(s *sample) { s.Port = -1 }, "port: -1 is below the limit of 0"},
		{func(s *sample) { s.Port = 70000 }, "port: 70000 is above the limit of 65535"},
		{func(s *sample) { s.Share = 1.5 }, "share: 1.5 is above the limit of 1"},
		{func(s *sample) { s.Share = -.5 }, "share: -0.5 is below the limit of 0"},
		{func(s *sample) { s.Budget = 1<<20 - 1 }, "budget: 1048575 is below the limit of 1MiB"},
		{func(s *sample) { s.Inner.Part = 16 << 20 }, "inner.part: 16MiB is above budget (8MiB)"},
		{func(s *sample) { s.Inner.All = 8<<10 - 1 }, "inner.all: 8191 is below 2 × inner.segment (4KiB)"},
		{func(s *sample) { s.Inner.Segment = 1 << 62 }, "inner.all: 8KiB is below 2 × inner.segment (4194304TiB)"},
		{func(s *sample) { s.Inner.Age = 25 * time.Hour }, "inner.age: 25h is above the limit of 24h"},
		{func(s *sample) { s.Inner.Age = 0 }, "inner.age: 0s is below the limit of 1s"},
	} {
		s := valid()
		c.change(s)
		if err := Check(s); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	s := valid()
	s.Port, s.Inner.Age = -1, 0
	if all := CheckAll(s); len(all) != 2 {
		t.Errorf("want both violations, got %v", all)
	}
}

// TestCheckWithin checks that a limit that is a key is found wherever the
// struct of its section stands.
func TestCheckWithin(t *testing.T) {
	outer := struct {
		Budget Bytes  `yaml:"budget"` // another one, farther away
		Deep   sample `yaml:"deep"`
	}{Budget: 1, Deep: *valid()}
	outer.Deep.Inner.Part = 9 << 20
	if err := Check(&outer); err == nil || err.Error() != "deep.inner.part: 9MiB is above deep.budget (8MiB)" {
		t.Errorf("got %v", err)
	}
}

func TestLimits(t *testing.T) {
	fields := Fields(valid())
	got := map[string]string{}
	for i := range fields {
		if l := Limits(&fields[i], fields); l != "" {
			got[fields[i].Key] = l
		}
	}
	want := map[string]string{"name": "not empty", "level": "low, mid or high", "port": "at least 0, at most 65535", "share": "at least 0, at most 1",
		"budget": "at least 1MiB", "inner.part": "at most budget", "inner.segment": "at least 1KiB", "inner.all": "at least 2 × inner.segment", "inner.age": "at least 1s, at most 24h"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBugsPanic(t *testing.T) {
	for name, cfg := range map[string]any{
		"no key": &struct{ A int }{},
		"a type that no key has": &struct {
			A chan int `yaml:"a"`
		}{},
		"a limit of nothing": &struct {
			A int `yaml:"a" min:"b"`
		}{},
		"a limit of another type": &struct {
			A int   `yaml:"a" min:"b"`
			B Bytes `yaml:"b"`
		}{},
		"a limit of a string": &struct {
			A string `yaml:"a" min:"1"`
		}{},
		"a factor that is no number": &struct {
			A int `yaml:"a" min:"x*b"`
			B int `yaml:"b"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Check(cfg)
		}()
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		to   any
		text string
		want string // the form printed; empty if text is refused
	}{
		{new(bool), "true", "true"}, {new(bool), "yes", ""}, {new(bool), "True", ""},
		{new(int), "42", "42"}, {new(int), "-1", "-1"}, {new(int), "1.5", ""}, {new(int), "", ""}, {new(int), "0x10", ""}, {new(int), "99999999999999999999", ""},
		{new(float64), "0.01", "0.01"}, {new(float64), "1e-3", "0.001"}, {new(float64), "NaN", ""}, {new(float64), "Inf", ""}, {new(float64), "1e999", ""},
		{new(string), "a: b", "a: b"}, {new(string), "", ""},
		{new(time.Duration), "5m", "5m"}, {new(time.Duration), "90m", "1h30m"}, {new(time.Duration), "1h0m5s", "1h0m5s"}, {new(time.Duration), "1h", "1h"},
		{new(time.Duration), "20s", "20s"}, {new(time.Duration), "100ms", "100ms"}, {new(time.Duration), "0", "0s"}, {new(time.Duration), "5", ""}, {new(time.Duration), "5 minutes", ""},
		{new(Bytes), "200MiB", "200MiB"}, {new(Bytes), "209715200", "200MiB"},
		{new(Secret), "hunter2", "<hidden>"}, {new(Secret), "<hidden>", ""},
		{new([]string), "a", ""},
	} {
		v := reflect.ValueOf(c.to).Elem()
		err := SetText(v, c.text)
		switch {
		case err != nil && c.want != "":
			t.Errorf("%s %q: %v", v.Type(), c.text, err)
		case err == nil && v.Kind() != reflect.String && c.want == "":
			t.Errorf("%s %q: accepted as %v", v.Type(), c.text, v)
		case err == nil && Text(v) != c.want:
			t.Errorf("%s %q: printed as %q, want %q", v.Type(), c.text, Text(v), c.want)
		case err != nil && !strings.HasPrefix(err.Error(), "want ") && v.Type() != typeSecret:
			t.Errorf("%s %q: %v does not say what is wanted", v.Type(), c.text, err)
		}
	}
}
