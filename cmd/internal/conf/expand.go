package conf

import (
	"errors"
	"fmt"
	"strings"
)

// expand replaces ${NAME} by the environment variable NAME, and
// ${NAME:-default} by the default where that is not set or empty. $${ stands
// for ${ itself, and any other $ for itself. What a variable holds is not
// expanded again. A variable that is not set, without a default, is an error.
func expand(s string, env Lookup) (string, error) {
	var out strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			out.WriteString(s)
			return out.String(), nil
		}
		if i > 0 && s[i-1] == '$' {
			out.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		out.WriteString(s[:i])
		value, n, err := expandOne(s[i:], env)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		s = s[i+n:]
	}
}

// expandOne expands the variable at the start of s, which takes n bytes.
func expandOne(s string, env Lookup) (value string, n int, err error) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return "", 0, errors.New("${ is not closed by }; write $${ for the characters themselves")
	}
	name, def, hasDefault := strings.Cut(s[len("${"):end], ":-")
	if !isName(name) {
		return "", 0, fmt.Errorf("${%.80s} is not ${NAME} or ${NAME:-default}; write $${ for the characters themselves", s[len("${"):end])
	}
	if strings.Contains(def, "${") {
		return "", 0, fmt.Errorf("the default of ${%s} holds a variable, which is not expanded", name)
	}
	value, ok := env(name)
	switch {
	case ok && (value != "" || !hasDefault):
	case hasDefault:
		value = def
	default:
		return "", 0, fmt.Errorf("the environment variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return value, end + 1, nil
}

// escape returns text that expand turns into s.
func escape(s string) string { return strings.ReplaceAll(s, "${", "$${") }

func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
