package frontend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// StatusClientGone is the status of a request whose client left before the
// answer; nobody but logs and metrics sees it.
const StatusClientGone = 499

// Error is an error with an HTTP status of its own.
type Error struct {
	Code int
	Msg  string
}

func (e *Error) Error() string { return e.Msg }

// HTTPStatus is the status of the response.
func (e *Error) HTTPStatus() int { return e.Code }

// BadParam is the error for a parameter that cannot be used: status 400.
func BadParam(name, format string, args ...any) error {
	return &Error{http.StatusBadRequest, "parameter " + name + ": " + fmt.Sprintf(format, args...)}
}

// Status returns the HTTP status and the text for an error met while a request
// was answered: 499 if the client is gone, 504 if the time is up, what the error
// itself says with HTTPStatus, else 500.
func (f *Frontend) Status(r *http.Request, err error) (code int, msg string) {
	ctx := r.Context()
	var own interface{ HTTPStatus() int }
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		return http.StatusGatewayTimeout, fmt.Sprintf("no answer within %s: ask for a shorter time range or fewer traces, or raise frontend.query_timeout", f.cfg.QueryTimeout)
	case ctx.Err() != nil:
		return StatusClientGone, "the client is gone"
	case errors.As(err, &own):
		if code := own.HTTPStatus(); code >= 400 && code <= 599 {
			return code, err.Error()
		}
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, err.Error()
	}
	f.opts.Logger.Error("query failed", "method", r.Method, "path", r.URL.Path, "err", err)
	return http.StatusInternalServerError, err.Error()
}
