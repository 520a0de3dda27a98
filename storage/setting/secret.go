package setting

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what is shown of a secret.
const hidden = "<hidden>"

// Secret is a string that is not shown: fmt, JSON, YAML and slog say <hidden>.
// An empty one is shown as such. Converting it to a string gives the secret.
// Like all methods, these do not work on unexported fields that fmt is given
// with the struct around them: keep secrets in exported ones.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format implements fmt.Formatter for all verbs.
func (s Secret) Format(f fmt.State, verb rune) {
	switch verb {
	case 'q', 'x', 'X':
		fmt.Fprintf(f, fmt.FormatString(f, verb), s.String())
	case 'v':
		if f.Flag('#') {
			fmt.Fprintf(f, "%q", s.String())
			return
		}
		fallthrough
	default:
		_, _ = io.WriteString(f, s.String())
	}
}

// MarshalText implements encoding.TextMarshaler, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
