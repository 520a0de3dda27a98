// Package setting has the types of configured values that are more than a
// number or a string, and what the struct tags of a Config mean:
//
//	yaml:"max_age"         the key; every exported field has one
//	min:"1s" max:"24h"     limits: values of the field's type, or another key
//	oneof:"debug info"     the only values of a string
//	notempty:"true"        a string that must be there
//
// A limit that is a key, such as max:"max_live_bytes" or min:"2*segment_bytes",
// is looked for beside the field, then in the sections around it. Package
// setting reads no files; cmd/internal/conf does.
package setting

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typeBytes    = reflect.TypeFor[Bytes]()
	typeSecret   = reflect.TypeFor[Secret]()
)

// Field is one key of a configuration.
type Field struct {
	Key     string        // with those of the sections around it: "ingester.block.max_age"
	Value   reflect.Value // settable if Fields was given a pointer
	Section bool          // has keys of its own, which follow it
	Owner   reflect.Type  // the struct that has the field
	Go      string        // the field's name there

	tag reflect.StructTag
}

// Fields returns the keys of cfg, a struct or a pointer to one, in the order of
// the source: each section before its keys. It panics on a field that has no
// yaml tag or a type that no key can have: both are bugs.
func Fields(cfg any) []Field {
	v := reflect.ValueOf(cfg)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return appendFields(nil, "", v)
}

func appendFields(out []Field, prefix string, v reflect.Value) []Field {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			panic(fmt.Sprintf("setting: field %s of %s has no key", sf.Name, t))
		}
		f := Field{Key: prefix + name, Value: v.Field(i), Owner: t, Go: sf.Name, tag: sf.Tag}
		f.Section = sf.Type.Kind() == reflect.Struct
		out = append(out, f)
		if f.Section {
			out = appendFields(out, f.Key+".", f.Value)
		} else {
			f.Type() // panics if there is none
		}
	}
	return out
}

// Name is the last part of the key.
func (f *Field) Name() string { return f.Key[strings.LastIndexByte(f.Key, '.')+1:] }

// Type says in words what values the key takes.
func (f *Field) Type() string { return TypeOf(f.Value.Type()) }

// TypeOf says in words what values a type has. It panics if no key can have it.
func TypeOf(t reflect.Type) string {
	switch t {
	case typeDuration:
		return "duration"
	case typeBytes:
		return "bytes"
	case typeSecret:
		return "secret"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.String:
		return "string"
	case reflect.Struct:
		return "section"
	case reflect.Slice:
		return "list of " + TypeOf(t.Elem()) + "s"
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return "map of " + TypeOf(t.Elem()) + "s"
		}
	}
	panic(fmt.Sprintf("setting: no key can have the type %s", t))
}

// SetText sets v, a scalar, to the value that text stands for. The error says
// what is wanted, and does not repeat the text.
func SetText(v reflect.Value, text string) error {
	switch v.Type() {
	case typeDuration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("want a duration such as 30s, 5m or 1h30m")
		}
		v.SetInt(int64(d))
		return nil
	case typeBytes:
		b, err := ParseBytes(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(b))
		return nil
	case typeSecret:
		if text == hidden {
			return fmt.Errorf("%s stands for a secret where one is printed: put the secret itself", hidden)
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("want true or false")
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("want an integer")
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n-n != 0 { // infinite, or no number
			return fmt.Errorf("want a number")
		}
		v.SetFloat(n)
	case reflect.String:
		if !utf8.ValidString(text) {
			return fmt.Errorf("want text in UTF-8")
		}
		v.SetString(text)
	default:
		return fmt.Errorf("want a %s", TypeOf(v.Type()))
	}
	return nil
}

// Text is the form of a scalar that SetText reads back, but for secrets, which
// are hidden.
func Text(v reflect.Value) string {
	switch v.Type() {
	case typeDuration:
		return durationText(time.Duration(v.Int()))
	case typeBytes:
		return Bytes(v.Int()).String()
	case typeSecret:
		return Secret(v.String()).String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return v.String()
}

// durationText is 5m where Duration.String says 5m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
