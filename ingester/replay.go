package ingester

import (
	"context"
	"fmt"
	"sync"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/ingester/wal"
)

// replayAhead is how many portions may be decompressed before they are decoded.
const replayAhead = 8

// replayed is a portion of the log on its way into the columns.
type replayed struct {
	p   *portion.Portion
	pos wal.Position
	raw []byte
	err error // why there is no raw
}

// replay reads the log. One goroutine reads and decompresses, another decodes;
// both wait for memory, which pushes may take first.
func (i *Ingester) replay(ctx context.Context) (rep wal.Report, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ahead := make(chan replayed, replayAhead)
	var wg sync.WaitGroup
	wg.Go(func() {
		for r := range ahead {
			if err := i.replayOne(ctx, &r); err != nil {
				cancel(err)
				return
			}
		}
	})
	rep, err = i.log.Replay(ctx, func(r wal.Record) error { return i.readPortion(ctx, r, ahead) })
	close(ahead)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return rep, cause
	}
	return rep, err
}

// readPortion takes one record apart. What a block covers is dropped unread.
func (i *Ingester) readPortion(ctx context.Context, r wal.Record, ahead chan<- replayed) error {
	if r.Kind != kindPortion {
		return fmt.Errorf("log record at %d has kind %d, which this version does not know: run the version that wrote it, or a later one", r.Position, r.Kind)
	}
	p, err := portion.Parse(r.Data)
	if err != nil {
		return fmt.Errorf("log record at %d: %w", r.Position, err)
	}
	c := streamCoverage(p.Stream)
	if i.blocks.Covered(p.Stream.Tenant, &c, p.Seq) {
		i.log.Drop(r.Position)
		return nil
	}
	one := replayed{p: p, pos: r.Position}
	one.raw, one.err = i.payload(p)
	p.Payload = nil // the record's, which does not stay
	select {
	case ahead <- one:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (i *Ingester) replayOne(ctx context.Context, r *replayed) error {
	if err := i.awaitRoom(ctx, r.p.RawSize); err != nil {
		return err
	}
	in := i.instance(r.p.Stream.Tenant)
	in.mu.Lock()
	defer in.mu.Unlock()
	if r.err != nil { // the checksum was right: it was pushed like this
		i.quarantine(in, r.p, r.err, "")
		return nil
	}
	i.take(in, r.p, r.pos, r.raw)
	return nil
}

// awaitRoom waits until building has freed memory for n more bytes. Replay may
// not be refused; it takes what pushes leave.
func (i *Ingester) awaitRoom(ctx context.Context, n int) error {
	for {
		freed := i.builds.freed()
		have := i.live.Load()
		ok := have+int64(n) <= int64(i.cfg.MaxLiveBytes)
		if !i.replayComesFirst() {
			i.builds.signal()
		}
		if ok || have == 0 {
			return nil
		}
		i.cutAll("memory")
		select {
		case <-freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
