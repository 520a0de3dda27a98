package columns

import (
	"math"
	"strconv"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// TagMatcher is a storage.Tag made ready for comparing: the text is parsed
// once as each type that it could be the text of.
type TagMatcher struct {
	Key, Text string
	// Canonical readings of Text; the flags say whether there is one.
	boolVal, isBool     bool
	intVal              int64
	isInt               bool
	doubleVal           float64
	isDouble            bool
	Kind                int32 // span.kind=…: the kind that matches; -1 = none
	Status              int32 // error=…, otel.status_code=…: the code; -1 = none
	StatusNot           bool  // the status code must differ (error=false)
	StatusText          bool  // otel.status_description: the message is Text
	ScopeName, ScopeVer bool  // otel.scope.name, otel.scope.version
}

var kindNames = map[string]int32{"unspecified": 0, "internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}

// CompileTag prepares t.
func CompileTag(t storage.Tag) *TagMatcher {
	m := &TagMatcher{Key: t.Key, Text: t.Value, Kind: -1, Status: -1}
	switch t.Value {
	case "true", "false":
		m.boolVal, m.isBool = t.Value == "true", true
	}
	if v, err := strconv.ParseInt(t.Value, 10, 64); err == nil && strconv.FormatInt(v, 10) == t.Value {
		m.intVal, m.isInt = v, true
	}
	if v, err := strconv.ParseFloat(t.Value, 64); err == nil && strconv.FormatFloat(v, 'g', -1, 64) == t.Value {
		m.doubleVal, m.isDouble = v, true
	}
	switch t.Key {
	case "error":
		if m.isBool {
			m.Status, m.StatusNot = storage.StatusError, !m.boolVal
		}
	case "span.kind":
		if k, ok := kindNames[t.Value]; ok {
			m.Kind = k
		}
	case "otel.status_code":
		switch t.Value {
		case "OK":
			m.Status = 1
		case "ERROR":
			m.Status = storage.StatusError
		}
	case "otel.status_description":
		m.StatusText = true
	case "otel.scope.name", "otel.library.name":
		m.ScopeName = true
	case "otel.scope.version", "otel.library.version":
		m.ScopeVer = true
	}
	return m
}

// Value reports whether a value of the given type has the tag's text. bits
// holds Bool, Int and Double, val holds String.
func (m *TagMatcher) Value(typ ValueType, bits uint64, val []byte) bool {
	switch typ {
	case String:
		return string(val) == m.Text
	case Bool:
		return m.isBool && (bits != 0) == m.boolVal
	case Int:
		return m.isInt && int64(bits) == m.intVal
	case Double:
		return m.isDouble && (bits == math.Float64bits(m.doubleVal) || m.doubleVal != m.doubleVal && math.IsNaN(math.Float64frombits(bits)))
	}
	return false
}

// Possible reports whether any value of the type can match.
func (m *TagMatcher) Possible(typ ValueType) bool {
	switch typ {
	case String:
		return true
	case Bool:
		return m.isBool
	case Int:
		return m.isInt
	case Double:
		return m.isDouble
	}
	return false
}

// Field reports whether one of the fields that the key speaks of matches.
// status is the span's status code, kind its kind.
func (m *TagMatcher) Field(kind, status int32) bool {
	if m.Kind >= 0 && kind == m.Kind {
		return true
	}
	return m.Status >= 0 && (status == m.Status) != m.StatusNot
}

// attributes reports whether one of the attributes matches; see trace.EachAttribute.
func (m *TagMatcher) attributes(b []byte, outer, attrs uint32) bool {
	found := false
	trace.EachAttribute(b, outer, attrs, func(key, value []byte) bool {
		if string(key) == m.Key {
			typ, v, ok := parseAnyValue(value)
			found = ok && m.Value(typ, v.bits, v.data)
		}
		return !found
	})
	return found
}

// Resource reports whether the resource has the tag. raw is the wire form of
// ResourceSpans without scope_spans.
func (m *TagMatcher) Resource(raw []byte) bool { return m.attributes(raw, 1, 1) }

// Scope reports whether the scope has the tag. raw is the wire form of
// ScopeSpans without spans.
func (m *TagMatcher) Scope(raw []byte) bool {
	if m.attributes(raw, 1, 3) {
		return true
	}
	if !m.ScopeName && !m.ScopeVer {
		return false
	}
	name, version := ScopeNameVersion(raw)
	return m.ScopeName && string(name) == m.Text || m.ScopeVer && string(version) == m.Text
}

// ScopeNameVersion reads name and version from the wire form of ScopeSpans.
func ScopeNameVersion(raw []byte) (name, version []byte) {
	for i := 0; i < len(raw); {
		f, n := trace.NextField(raw, i)
		if n < 0 {
			return name, version
		}
		if f.Num == 1 && f.Wire == 2 {
			for j := 0; j < len(f.Data); {
				g, k := trace.NextField(f.Data, j)
				if k < 0 {
					break
				}
				if g.Wire == 2 && g.Num == 1 {
					name = g.Data
				} else if g.Wire == 2 && g.Num == 2 {
					version = g.Data
				}
				j = k
			}
		}
		i = n
	}
	return name, version
}

// Events reports whether an event has the tag. events are wire bytes of a
// span's events fields.
func (m *TagMatcher) Events(events []byte) bool { return m.attributes(events, 11, 3) }
