package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"
)

// door is one port and what it serves.
type door struct {
	name, key string
	listener  net.Listener
	serve     func() error
	// stop takes no more requests and waits for those under way until ctx ends.
	stop func(ctx context.Context)
}

// listen opens a port. One that is in use is an error that says what to do.
func listen(host string, port int, name, key string) (net.Listener, error) {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: port %d on %s is in use by another program: stop that one, or choose another port with --set %s=PORT", name, port, host, key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: listen on %s (key %s): %w", name, addr, key, err)
	}
	return l, nil
}

func httpDoor(l net.Listener, name, key string, h http.Handler) *door {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{
		Handler: h, Protocols: protocols,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	return &door{
		name: name, key: key, listener: l,
		serve: func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
		stop: func(ctx context.Context) {
			if s.Shutdown(ctx) != nil {
				s.Close()
			}
		},
	}
}

func grpcDoor(l net.Listener, name, key string, s *grpc.Server) *door {
	return &door{
		name: name, key: key, listener: l,
		serve: func() error {
			if err := s.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
		stop: func(ctx context.Context) {
			done := make(chan struct{})
			go func() { s.GracefulStop(); close(done) }()
			select {
			case <-done:
			case <-ctx.Done():
				s.Stop()
				<-done
			}
		},
	}
}
