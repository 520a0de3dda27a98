package trace

import "go.opentelemetry.io/collector/pdata/pcommon"

// UnknownService stands where service.name is missing, empty or not a string.
const UnknownService = "unknown-service"

const serviceNameKey = "service.name"

// ServiceName returns the service name that the attributes of a resource give.
// Of several service.name attributes the first counts.
func ServiceName(attributes pcommon.Map) string {
	if v, ok := attributes.Get(serviceNameKey); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
		return v.Str()
	}
	return UnknownService
}

// ServiceNameFromResource is ServiceName for a resource on the wire: a
// ResourceSpans message, whose scope_spans may be left out.
func ServiceNameFromResource(resourceSpans []byte) string {
	name := ""
	EachAttribute(resourceSpans, 1, 1, func(key, value []byte) bool {
		if string(key) != serviceNameKey {
			return true
		}
		for i := 0; i < len(value); {
			f, n := NextField(value, i)
			if n < 0 {
				break
			}
			switch {
			case f.Num == 1 && f.Wire == 2:
				name = string(f.Data)
			case f.Num <= 7: // a later member of the oneof
				name = ""
			}
			i = n
		}
		return false
	})
	if name == "" {
		return UnknownService
	}
	return name
}
