package tenant

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for in, ok := range map[string]bool{
		"single-tenant": true, "A.b_c*'()!9": true, strings.Repeat("x", 150): true,
		"": false, ".": false, "..": false, "a/b": false, "a|b": false, "a b": false, "ä": false,
		strings.Repeat("x", 151): false, "a\x00": false,
	} {
		if _, err := Parse(in); (err == nil) != ok {
			t.Errorf("Parse(%q): error %v, want ok %v", in, err, ok)
		}
	}
}

func TestContext(t *testing.T) {
	if _, err := FromContext(context.Background()); !errors.Is(err, ErrMissing) {
		t.Errorf("empty context: %v", err)
	}
	if id, err := FromContext(NewContext(context.Background(), "a")); err != nil || id != "a" {
		t.Errorf("got %q, %v", id, err)
	}
}
