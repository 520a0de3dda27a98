// Package tenant holds the identity of a tenant. A tenant is part of every
// key, file name, cache key, log record and ring hash, so a name that is not
// fit for a folder is refused at the door.
package tenant

import (
	"context"
	"errors"
	"fmt"
)

// ID names a tenant: 1 to 150 characters, letters, digits and ! - _ . * ' ( ),
// but not "." or "..".
type ID string

// Single is the tenant of every request when multitenancy is off.
const Single ID = "single-tenant"

// Header carries the tenant over HTTP; MetadataKey over gRPC.
const (
	Header      = "X-Scope-OrgID"
	MetadataKey = "x-scope-orgid"
)

// MaxLength is the longest permitted tenant name, in bytes.
const MaxLength = 150

// ErrMissing reports a request without a tenant where one is required.
var ErrMissing = errors.New("no org id")

// Parse checks s and returns it as an ID.
func Parse(s string) (ID, error) {
	switch {
	case s == "":
		return "", ErrMissing
	case len(s) > MaxLength:
		return "", fmt.Errorf("tenant %.20q…: %d characters, at most %d allowed", s, len(s), MaxLength)
	case s == "." || s == "..":
		return "", fmt.Errorf("tenant %q: not a permitted name", s)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '!' || c == '-' || c == '_' || c == '.' || c == '*' || c == '\'' || c == '(' || c == ')':
		default:
			return "", fmt.Errorf("tenant %q: character %q is not permitted (letters, digits and !-_.*'() are)", s, string(rune(c)))
		}
	}
	return ID(s), nil
}

type contextKey struct{}

// NewContext returns a context that carries id.
func NewContext(ctx context.Context, id ID) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext returns the tenant that the door put into ctx, or ErrMissing.
func FromContext(ctx context.Context) (ID, error) {
	id, ok := ctx.Value(contextKey{}).(ID)
	if !ok {
		return "", ErrMissing
	}
	return id, nil
}
