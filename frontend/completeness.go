package frontend

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/clewtrace/clew/storage"
)

// CompletenessHeader says of a response what could not be read for it. It is
// absent from complete answers.
const CompletenessHeader = "Clew-Completeness"

// maxNamed is how many sources that could not be read are named.
const maxNamed = 5

// Incomplete says in words what is missing from an answer; it is empty for a
// complete one.
func Incomplete(c *storage.Completeness) string {
	if c.Complete() {
		return ""
	}
	var parts []string
	if c.Replaying {
		parts = append(parts, "the log is still being read after a start, so recent spans may be missing")
	}
	if n := len(c.Failed); n > 0 {
		named := make([]string, 0, maxNamed)
		for _, s := range c.Failed[:min(n, maxNamed)] {
			named = append(named, s.Name+" ("+s.Reason+")")
		}
		if n > maxNamed {
			named = append(named, fmt.Sprintf("and %d more", n-maxNamed))
		}
		parts = append(parts, fmt.Sprintf("%d of %d sources could not be read: %s", n, c.SourcesPlanned, strings.Join(named, ", ")))
	}
	return "incomplete answer: " + strings.Join(parts, "; ")
}

// SetCompleteness puts the header on an incomplete answer.
func SetCompleteness(h http.Header, c *storage.Completeness) {
	if c.Complete() {
		return
	}
	v := fmt.Sprintf("incomplete; planned=%d; read=%d; pruned=%d; failed=%d", c.SourcesPlanned, c.SourcesRead, c.SourcesPruned, len(c.Failed))
	if c.Replaying {
		v += "; replaying"
	}
	h.Set(CompletenessHeader, v)
}

// Both is what an answer rests on that needed two queries.
func Both(a, b *storage.Completeness) storage.Completeness {
	c := storage.Completeness{
		SourcesPlanned: max(a.SourcesPlanned, b.SourcesPlanned),
		SourcesRead:    max(a.SourcesRead, b.SourcesRead),
		SourcesPruned:  min(a.SourcesPruned, b.SourcesPruned),
		Failed:         append([]storage.FailedSource(nil), a.Failed...),
		Replaying:      a.Replaying || b.Replaying,
	}
	for _, f := range b.Failed {
		known := false
		for _, g := range a.Failed {
			known = known || g.Name == f.Name
		}
		if !known {
			c.Failed = append(c.Failed, f)
		}
	}
	return c
}

// NotFound is the error for a trace that is not in c's sources. If some could
// not be read nobody knows whether the trace exists, and it is status 503.
func NotFound(c *storage.Completeness) error {
	if c.Complete() {
		return &Error{http.StatusNotFound, "trace not found"}
	}
	return &Error{http.StatusServiceUnavailable, "trace not found in what could be read; " + Incomplete(c)}
}
