package setting

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Violation is a value that cannot work.
type Violation struct {
	Key     string
	Problem string // names the value and the limit
}

func (v *Violation) Error() string { return v.Key + ": " + v.Problem }

// Check reports the first value of cfg, a pointer to a struct, that is beyond a
// limit, as a *Violation.
func Check(cfg any) error {
	if all := CheckAll(cfg); len(all) > 0 {
		return all[0]
	}
	return nil
}

// CheckAll reports every value of cfg that is beyond a limit.
func CheckAll(cfg any) (out []*Violation) {
	fields := Fields(cfg)
	for i := range fields {
		f := &fields[i]
		for _, l := range limitsOf(f, fields) {
			if problem := l.check(f.Value); problem != "" {
				out = append(out, &Violation{f.Key, problem})
			}
		}
	}
	return out
}

// Limits says in words what limits f has among fields, as Fields returned them;
// empty if it has none.
func Limits(f *Field, fields []Field) string {
	var words []string
	for _, l := range limitsOf(f, fields) {
		words = append(words, l.words())
	}
	return strings.Join(words, ", ")
}

// limit is one limit of one field.
type limit struct {
	tag    string        // min, max, oneof, notempty
	text   string        // as in the tag
	value  reflect.Value // of min and max
	factor int64         // of value, where it is that of another key
	key    string        // that key, or empty
}

// limitsOf reads the tags of f. A tag that cannot be read is a bug.
func limitsOf(f *Field, fields []Field) (out []limit) {
	for _, tag := range []string{"notempty", "oneof", "min", "max"} {
		text, ok := f.tag.Lookup(tag)
		if !ok {
			continue
		}
		l := limit{tag: tag, text: text}
		if tag == "min" || tag == "max" {
			if !number(f.Value) {
				panic(fmt.Sprintf("setting: key %s has a %s, but is no number", f.Key, tag))
			}
			l.resolve(f, fields)
		}
		out = append(out, l)
	}
	return out
}

// resolve finds the value of a limit: text itself, or that of the key that it
// names.
func (l *limit) resolve(f *Field, fields []Field) {
	l.value = reflect.New(f.Value.Type()).Elem()
	if SetText(l.value, l.text) == nil {
		return
	}
	name := l.text
	l.factor = 1
	if n, rest, ok := strings.Cut(l.text, "*"); ok {
		l.factor, _ = strconv.ParseInt(n, 10, 64)
		name = rest
	}
	for at := f.Key; at != ""; {
		at = at[:max(strings.LastIndexByte(at, '.'), 0)]
		key := strings.TrimPrefix(at+"."+name, ".")
		i := slices.IndexFunc(fields, func(o Field) bool { return o.Key == key })
		if i >= 0 && fields[i].Value.Type() == f.Value.Type() && l.factor > 0 {
			l.key, l.value = key, fields[i].Value
			return
		}
	}
	panic(fmt.Sprintf("setting: key %s: limit %q is neither a value nor a key of its type", f.Key, l.text))
}

// check returns what is wrong with v, or nothing.
func (l *limit) check(v reflect.Value) string {
	switch l.tag {
	case "notempty":
		if v.Len() == 0 {
			return "must not be empty"
		}
	case "oneof":
		if !slices.Contains(strings.Fields(l.text), v.String()) {
			return fmt.Sprintf("%.80q is not %s", v.String(), l.words())
		}
	case "min":
		if l.compare(v) < 0 {
			return fmt.Sprintf("%s is below %s", Text(v), l.against())
		}
	case "max":
		if l.compare(v) > 0 {
			return fmt.Sprintf("%s is above %s", Text(v), l.against())
		}
	}
	return ""
}

// compare compares v with the limit.
func (l *limit) compare(v reflect.Value) int {
	if v.Kind() == reflect.Float64 {
		switch of := l.value.Float(); {
		case v.Float() < of:
			return -1
		case v.Float() > of:
			return 1
		}
		return 0
	}
	n, of := v.Int(), l.value.Int()
	if l.factor > 1 { // n/factor against of, which cannot overflow
		if n/l.factor > of || n/l.factor == of && n%l.factor > 0 {
			return 1
		}
		if n/l.factor == of {
			return 0
		}
		return -1
	}
	switch {
	case n < of:
		return -1
	case n > of:
		return 1
	}
	return 0
}

// against is the limit in an error.
func (l *limit) against() string {
	switch {
	case l.key == "":
		return "the limit of " + Text(l.value)
	case l.factor > 1:
		return fmt.Sprintf("%d × %s (%s)", l.factor, l.key, Text(l.value))
	}
	return fmt.Sprintf("%s (%s)", l.key, Text(l.value))
}

// words is the limit in a reference.
func (l *limit) words() string {
	switch l.tag {
	case "notempty":
		return "not empty"
	case "oneof":
		options := strings.Fields(l.text)
		if n := len(options); n > 1 {
			return strings.Join(options[:n-1], ", ") + " or " + options[n-1]
		}
		return l.text
	}
	of := Text(l.value)
	if l.key != "" {
		of = l.key
		if l.factor > 1 {
			of = fmt.Sprintf("%d × %s", l.factor, l.key)
		}
	}
	if l.tag == "min" {
		return "at least " + of
	}
	return "at most " + of
}

func number(v reflect.Value) bool {
	return v.Kind() == reflect.Int || v.Kind() == reflect.Int64 || v.Kind() == reflect.Float64
}
