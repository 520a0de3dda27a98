package block

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/clewtrace/clew/storage/columns"
)

// parquetFile writes data.parquet: schema and metadata are arrow's, pages our
// own (see docs/design/0003-block-format.md for why). Row groups are written one
// after the other, columns within them in file order.
type parquetFile struct {
	out   *objectWriter
	cols  []Column
	pages *pageWriter
	meta  *metadata.FileMetaDataBuilder
	group *metadata.RowGroupMetaDataBuilder
	n     int // row groups begun
	kv    metadata.KeyValueMetadata
}

const parquetMagic = "PAR1"

func newParquetFile(out *objectWriter, cols []Column) (*parquetFile, error) {
	var fields schema.FieldList
	props := []parquet.WriterProperty{
		parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("clew"), parquet.WithStats(false),
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithEncoding(parquet.Encodings.Plain),
	}
	for i := range cols {
		f, err := field(&cols[i])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", cols[i].Name, err)
		}
		fields = append(fields, f)
		if cols[i].Physical == Int64 { // where there is no dictionary
			props = append(props, parquet.WithEncodingFor(cols[i].Name, parquet.Encodings.DeltaBinaryPacked))
		}
	}
	root, err := schema.NewGroupNode("span", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, err
	}
	f := &parquetFile{out: out, cols: cols, pages: newPageWriter(out), kv: metadata.NewKeyValueMetadata()}
	f.meta = metadata.NewFileMetadataBuilder(schema.NewSchema(root), parquet.NewWriterProperties(props...), nil)
	_, _ = io.WriteString(out, parquetMagic) // the objectWriter keeps the error
	return f, nil
}

const startColumn = "start_unix_nano"

// field is the schema of a column, with the logical types by which other tools
// know what it holds.
func field(c *Column) (schema.Node, error) {
	rep := parquet.Repetitions.Required
	if c.Optional {
		rep = parquet.Repetitions.Optional
	}
	typ, size := parquet.Types.ByteArray, -1
	var logical schema.LogicalType = schema.NoLogicalType{}
	switch c.Physical {
	case Int32:
		typ = parquet.Types.Int32
	case Int64:
		typ = parquet.Types.Int64
		if c.Name == startColumn {
			logical = schema.NewTimestampLogicalType(true, schema.TimeUnitNanos)
		}
	case Double:
		typ = parquet.Types.Double
	case Boolean:
		typ = parquet.Types.Boolean
	case Fixed8:
		typ, size = parquet.Types.FixedLenByteArray, 8
	case Fixed16:
		typ, size = parquet.Types.FixedLenByteArray, 16
	case ByteArray:
		if c.Attr && c.Type == columns.String || !c.Attr && (c.Name == "service" || c.Name == "name" || c.Name == "status_message") {
			logical = schema.StringLogicalType{}
		}
	}
	return schema.NewPrimitiveNodeLogical(c.Name, rep, logical, typ, size, -1)
}

// beginGroup starts a row group.
func (f *parquetFile) beginGroup(rows int) {
	f.group = f.meta.AppendRowGroup()
	f.group.SetNumRows(rows)
	f.n++
}

// endChunk ends the column chunk that pages has written, and returns its places.
func (f *parquetFile) endChunk(rows int) (Chunk, error) {
	w := f.pages
	info := metadata.ChunkMetaInfo{
		NumValues: int64(rows), DictPageOffset: w.dictOffset, IndexPageOffset: -1, DataPageOffset: w.dataOffset,
		CompressedSize: w.compressed, UncompressedSize: w.uncompressed,
	}
	stats := metadata.EncodingStats{DictEncodingStats: map[parquet.Encoding]int32{}, DataEncodingStats: map[parquet.Encoding]int32{}}
	dict := w.chunk.Dict.Size > 0
	if dict {
		stats.DictEncodingStats[parquet.Encodings.Plain] = 1
	}
	for enc, n := range w.encodings {
		stats.DataEncodingStats[parquet.Encoding(enc)] = n
	}
	if err := f.group.NextColumnChunk().Finish(info, dict, false, stats); err != nil {
		return Chunk{}, err
	}
	return w.chunk, nil
}

// endGroup ends the row group after the last of its columns.
func (f *parquetFile) endGroup() error { return f.group.Finish(0, int16(min(f.n-1, 1<<15-1))) }

// note adds a key to the metadata of the file.
func (f *parquetFile) note(key, value string) error { return f.kv.Append(key, value) }

// noteBytes adds a key with bytes in base64.
func (f *parquetFile) noteBytes(key string, value []byte) error {
	return f.note(key, base64.StdEncoding.EncodeToString(value))
}

// close writes the footer.
func (f *parquetFile) close() error {
	for _, kv := range f.kv {
		if err := f.meta.AppendKeyValueMetadata(kv.Key, *kv.Value); err != nil {
			return err
		}
	}
	m, err := f.meta.Finish()
	if err != nil {
		return err
	}
	n, err := m.WriteTo(f.out, nil)
	if err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(n))
	_, err = f.out.Write(append(tail, parquetMagic...))
	return err
}
