package schema

import (
	"encoding/json"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// Arrow is imported in this package's files parquet_*.go alone.

// leaf is a column of the file as Parquet counts them: a list of structs has one for each field.
type leaf struct {
	column   *column
	field    string // of the struct of a list, "" else
	physical parquet.Type
}

func (l leaf) path() string {
	if l.field == "" {
		return l.column.name
	}
	return l.column.name + ".list.element." + l.field
}

// dictionary says whether the leaf's values repeat enough for a dictionary. Roles and names of signals do.
func (l leaf) dictionary() bool {
	return l.column.few || l.field == "role" || l.field == "name" || l.physical == parquet.Types.Int32
}

// Definition levels of the optional fields and three-level lists below (Parquet format, Nested Encoding).
const (
	levelFlat      = 1 // value of a flat column
	levelEmptyList = 1
	levelListValue = 4 // list, element, field and value are there
)

// leavesOf lists the leaves in the order of the file.
func leavesOf(columns []column) []leaf {
	var leaves []leaf
	for i := range columns {
		c := &columns[i]
		switch c.kind {
		case textColumn:
			leaves = append(leaves, leaf{c, "", parquet.Types.ByteArray})
		case int32Column:
			leaves = append(leaves, leaf{c, "", parquet.Types.Int32})
		case int64Column:
			leaves = append(leaves, leaf{c, "", parquet.Types.Int64})
		case doubleColumn:
			leaves = append(leaves, leaf{c, "", parquet.Types.Double})
		case messagesColumn:
			leaves = append(leaves, leaf{c, "role", parquet.Types.ByteArray}, leaf{c, "content", parquet.Types.ByteArray})
		case signalsColumn:
			leaves = append(leaves, leaf{c, "name", parquet.Types.ByteArray}, leaf{c, "value", parquet.Types.Double})
		}
	}
	return leaves
}

// parquetRoot is the file's schema: every field optional, lists in three levels.
func parquetRoot(columns []column) (*schema.GroupNode, error) {
	var fields schema.FieldList
	byColumn := map[string][]leaf{}
	for _, l := range leavesOf(columns) {
		byColumn[l.column.name] = append(byColumn[l.column.name], l)
	}
	for i := range columns {
		node, err := columnNode(columns[i].name, byColumn[columns[i].name])
		if err != nil {
			return nil, err
		}
		fields = append(fields, node)
	}
	return schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
}

func columnNode(name string, leaves []leaf) (schema.Node, error) {
	if leaves[0].field == "" {
		return primitiveNode(name, leaves[0].physical)
	}
	var fields schema.FieldList
	for _, l := range leaves {
		node, err := primitiveNode(l.field, l.physical)
		if err != nil {
			return nil, err
		}
		fields = append(fields, node)
	}
	element, err := schema.NewGroupNode("element", parquet.Repetitions.Optional, fields, -1)
	if err != nil {
		return nil, err
	}
	return schema.ListOfWithName(name, element, parquet.Repetitions.Optional, -1)
}

func primitiveNode(name string, physical parquet.Type) (schema.Node, error) {
	var logical schema.LogicalType = schema.NoLogicalType{}
	if physical == parquet.Types.ByteArray {
		logical = schema.StringLogicalType{}
	}
	return schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Optional, logical, physical, -1, -1)
}

func writerProperties(leaves []leaf, mem memory.Allocator) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCreatedBy("retort"),
		parquet.WithAllocator(mem),
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(zstdLevel),
		parquet.WithStats(true),
		parquet.WithDictionaryDefault(false),
		parquet.WithDataPageSize(pageBytes),
		// Pages may end only between two calls of WriteBatch, so that they begin with a row.
		parquet.WithBatchSize(1 << 40),
	}
	for _, l := range leaves {
		if l.dictionary() {
			options = append(options, parquet.WithDictionaryFor(l.path(), true))
		}
	}
	return parquet.NewWriterProperties(options...)
}

// featuresJSON is the value of the footer key `huggingface`: the columns as the datasets library names their
// types. Lists are written in the form [{…}], which every version of it reads; {"_type": "List"} needs version 4.
func featuresJSON(columns []column) (string, error) {
	value := func(dtype string) map[string]any { return map[string]any{"dtype": dtype, "_type": "Value"} }
	features := map[string]any{}
	for i := range columns {
		var f any
		switch columns[i].kind {
		case textColumn:
			f = value("string")
		case int32Column:
			f = value("int32")
		case int64Column:
			f = value("int64")
		case doubleColumn:
			f = value("float64")
		case messagesColumn:
			f = []any{map[string]any{"role": value("string"), "content": value("string")}}
		case signalsColumn:
			f = []any{map[string]any{"name": value("string"), "value": value("float64")}}
		}
		features[columns[i].name] = f
	}
	b, err := json.Marshal(map[string]any{"info": map[string]any{"features": features}})
	return string(b), err
}
