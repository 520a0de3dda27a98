package block

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// ErrEmpty reports a Set without spans, of which there can be no block.
var ErrEmpty = errors.New("no spans")

// WriteOptions say what a block is called, and how it is made.
type WriteOptions struct {
	ID        ulid.ULID
	Tenant    tenant.ID
	ClusterID string
	Created   time.Time   // zero: now
	Level     int         // see Meta
	Lineage   []ulid.ULID // see Meta

	// Coverage lists the portions that are wholly in the Set, Quarantined those
	// of them that could not be decoded.
	Coverage, Quarantined []Coverage

	// Promotion chooses the columns; the zero value means DefaultPromotion.
	Promotion Promotion
	// A row group ends with the first trace that makes it RowGroupRows or
	// RowGroupBytes (of values of variable size); a trace that makes it twice
	// as large is cut. A page ends at PageRows or PageBytes. 0 means 50,000
	// rows, 16 MiB, 4,000 rows, 1 MiB; docs/design/0003-block-format.md says why.
	RowGroupRows, RowGroupBytes int
	PageRows, PageBytes         int

	shardTraces int // 0: maxShardTraces; tests make small blocks of several
}

func (o *WriteOptions) withDefaults() WriteOptions {
	out := *o
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&out.RowGroupRows, 50_000)
	set(&out.RowGroupBytes, 16<<20)
	set(&out.PageRows, 4_000)
	set(&out.PageBytes, 1<<20)
	set(&out.shardTraces, maxShardTraces)
	out.PageRows = min(out.PageRows, maxPageRows)
	if out.Promotion == (Promotion{}) {
		out.Promotion = DefaultPromotion()
	}
	if out.Created.IsZero() {
		out.Created = time.Now()
	}
	out.Created = out.Created.UTC()
	return out
}

// Write makes a block of the spans of a sealed Set in the given order. It streams
// the objects to out one after the other, data.parquet first and meta.json last;
// beside the Set it needs memory for one row group and for the tables of the
// index. After an error the objects that were made are of no use.
func Write(ctx context.Context, out Output, set *columns.Set, order *columns.Order, opts WriteOptions) (*Meta, error) {
	opts = opts.withDefaults()
	w := &blockWriter{out: out, opts: &opts, set: set, order: order}
	m, err := w.write(ctx)
	if err != nil {
		return nil, fmt.Errorf("write block %s: %w", opts.ID, err)
	}
	return m, nil
}

// blockWriter holds what the objects of a block have in common.
type blockWriter struct {
	out   Output
	opts  *WriteOptions
	set   *columns.Set
	order *columns.Order

	layout  *layout
	index   Index // Columns, Tables, RowGroups
	stats   *collector
	tables  packed // SectionTables, which data.parquet repeats
	shapes  packed // SectionShapes, likewise
	objects []ObjectMeta
	blooms  []BloomMeta
	use     []groupUse // by row group
}

// groupUse lists what the rows of a row group refer to, by number in the tables.
type groupUse struct{ resources, scopes []uint32 }

func (w *blockWriter) write(ctx context.Context) (*Meta, error) {
	if len(w.order.Rows) == 0 {
		return nil, ErrEmpty
	}
	w.layout = newLayout(w.set, w.order, &w.opts.Promotion)
	w.stats = newCollector(w.layout)
	w.index.Columns, w.index.Rows = w.layout.cols, uint32(len(w.order.Rows))
	if err := w.writeData(ctx); err != nil {
		return nil, err
	}
	if err := w.writeBlooms(ctx); err != nil {
		return nil, err
	}
	if err := w.writeIndex(); err != nil {
		return nil, err
	}
	m := w.meta()
	b, err := m.Encode()
	if err == nil {
		_, err = writeObject(w.out, MetaObject, b)
	}
	return m, err
}

// writeData writes data.parquet and collects all that the other objects say.
func (w *blockWriter) writeData(ctx context.Context) error {
	out, err := createObject(w.out, DataObject)
	if err != nil {
		return err
	}
	file, err := newParquetFile(out, w.layout.cols)
	if err != nil {
		return out.abandon(err)
	}
	defer file.pages.release()
	if err := w.writeGroups(ctx, file); err != nil {
		return out.abandon(err)
	}
	o, err := out.finish()
	w.objects = append(w.objects, o)
	return err
}

func (w *blockWriter) writeGroups(ctx context.Context, file *parquetFile) error {
	l := w.layout
	maker := &chunkMaker{file: file, remap: make([]uint32, l.maxDict)}
	c := gatherer{l: l, opts: w.opts}
	marks := newMarks(l)
	for c.next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		rg, err := maker.rowGroup(l, &c.group)
		if err != nil {
			return fmt.Errorf("row group %d: %w", len(w.index.RowGroups), err)
		}
		w.stats.add(&c.group)
		var use groupUse
		use, rg.Shapes = marks.of(&c.group)
		w.use = append(w.use, use)
		w.index.RowGroups = append(w.index.RowGroups, rg)
	}
	w.index.Tables = l.tables
	var tables, shapes encoder
	appendTables(&tables, &w.index.Tables, nil)
	w.tables = pack(SectionTables, tables.b)
	appendShapes(&shapes, w.index.Rows, l.cols, w.index.Tables.Shapes, nil)
	w.shapes = pack(SectionShapes, shapes.b)
	return w.footer(file)
}

// maxFooterTables is up to which size data.parquet repeats the tables: some
// readers refuse larger footers.
const maxFooterTables = 16 << 20

func (w *blockWriter) footer(file *parquetFile) error {
	notes := []error{file.note("clew.format", fmt.Sprint(FormatVersion)), file.note("clew.block", w.opts.ID.String()),
		file.note("clew.normal_rows", fmt.Sprint(w.stats.normal.Rows))}
	for _, s := range []struct {
		name string
		p    *packed
	}{{"clew.tables", &w.tables}, {"clew.shapes", &w.shapes}} {
		if len(s.p.stored) <= maxFooterTables {
			notes = append(notes, file.note(s.name+".codec", fmt.Sprint(s.p.codec)), file.noteBytes(s.name, s.p.stored))
		}
	}
	return errors.Join(append(notes, file.close())...)
}

// writeIndex writes the index object.
func (w *blockWriter) writeIndex() error {
	var e encoder
	section := func(id Section, fill func()) packed {
		e.b = e.b[:0:0]
		fill()
		return pack(id, e.b)
	}
	s := w.stats
	s.names.tables(w.layout)
	o, err := writeObject(w.out, IndexObject, appendIndex(nil, []packed{
		w.tables, w.shapes,
		section(SectionRowGroups, func() { appendRowGroups(&e, w.index.RowGroups, w.index.Columns) }),
		section(SectionPages, func() { appendPages(&e, w.index.RowGroups) }),
		pack(SectionTraceIDs, s.traces.ids),
		pack(SectionTraces, s.traces.finish()),
		pack(SectionOperations, s.finishOperations()),
		pack(SectionEdges, s.finishEdges()),
		pack(SectionHalfEdges, s.halfEdges.finish()),
		section(SectionLinked, func() { appendLinked(&e, s.sortedLinks()) }),
		section(SectionNames, func() { appendNames(&e, s.names.sorted()) }),
	}))
	w.objects = append(w.objects, o)
	return err
}

func (w *blockWriter) meta() *Meta {
	o := w.opts
	m := &Meta{
		Format: FormatVersion, MinReader: MinReader, Block: o.ID, Tenant: o.Tenant, Cluster: o.ClusterID, Level: o.Level,
		Created: o.Created, Rows: uint64(w.index.Rows), Traces: uint64(len(w.order.Traces)), Duplicates: uint64(w.order.Duplicates),
		Normal: w.stats.normal, Wild: w.stats.wild, Codec: pageCodec, Promotion: o.Promotion.String(), Objects: w.objects, Blooms: w.blooms,
		Coverage: MergeCoverage(o.Coverage), Quarantined: MergeCoverage(o.Quarantined), Lineage: o.Lineage,
	}
	first := true
	for _, p := range []*PartMeta{&m.Normal, &m.Wild} {
		if p.Traces == 0 {
			continue
		}
		if first || compareIDs(&p.IDs.Min, &m.IDs.Min) < 0 {
			m.IDs.Min = p.IDs.Min
		}
		if first || compareIDs(&p.IDs.Max, &m.IDs.Max) > 0 {
			m.IDs.Max = p.IDs.Max
		}
		first = false
	}
	return m
}

// id is the ID of the trace with the given number.
func (w *blockWriter) id(t int) *trace.ID { return &w.set.TraceAt(w.order.Traces[t].Trace).ID }
