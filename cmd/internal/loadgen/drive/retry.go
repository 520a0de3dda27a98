package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Back-off between attempts, where the server names no time of its own.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// refusal is the answer of a server that did not take a request.
type refusal struct {
	err       error
	retryable bool
	after     time.Duration // that the server asks to wait; 0 if it does not say
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// retrying makes attempts until one succeeds, the server's answer is final,
// the time is up or ctx is done.
func retrying(ctx context.Context, t *Target, m *Meter, attempt func(context.Context) (rejected int64, message string, err error)) error {
	deadline := time.Now().Add(t.RetryFor)
	backoff := firstBackoff
	for {
		attemptCtx, cancel := context.WithTimeout(ctx, t.Timeout)
		began := time.Now()
		rejected, message, err := attempt(attemptCtx)
		cancel()
		m.attempt(time.Since(began), rejected, message, err)
		if err == nil {
			return nil
		}
		var no *refusal
		if !errors.As(err, &no) || !no.retryable {
			return err
		}
		wait := no.after
		if wait == 0 {
			wait = backoff/2 + rand.N(backoff)
			backoff = min(2*backoff, maxBackoff)
		}
		if time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("refused for %v: %w", t.RetryFor, err)
		}
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// refusedGRPC reads an error of a call as the OTLP specification says.
func refusedGRPC(err error) *refusal {
	s := status.Convert(err)
	no := &refusal{err: err}
	told := false
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			no.after, told = info.GetRetryDelay().AsDuration(), true
		}
	}
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		no.retryable = true
	case codes.ResourceExhausted:
		no.retryable = told
	}
	return no
}

// refusedHTTP reads an answer that is not 2xx; body is its text.
func refusedHTTP(code int, h http.Header, body string) *refusal {
	no := &refusal{err: fmt.Errorf("HTTP %d %s: %s", code, http.StatusText(code), body)}
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		no.retryable = true
	}
	after := h.Get("Retry-After")
	if s, err := strconv.Atoi(after); err == nil {
		no.after = time.Duration(max(s, 0)) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		no.after = max(time.Until(at), 0)
	}
	return no
}
