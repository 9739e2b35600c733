package schema

// Types of a shard's columns, as ColumnOf names them.
const (
	ColumnText     = "string"
	ColumnInt32    = "int32"
	ColumnInt64    = "int64"
	ColumnDouble   = "float64"
	ColumnMessages = "list<struct<role: string, content: string>>"
	ColumnSignals  = "list<struct<name: string, value: float64>>"
)

// ColumnOf describes a column of a shard for papers that name a dataset's fields.
type ColumnOf struct{ Name, Type string }

// Columns lists the columns of a shard of a format, in the order of the file.
func Columns(format string) ([]ColumnOf, error) {
	layout, err := layoutFor(format, false)
	if err != nil {
		return nil, err
	}
	types := map[columnKind]string{textColumn: ColumnText, int32Column: ColumnInt32, int64Column: ColumnInt64, doubleColumn: ColumnDouble,
		messagesColumn: ColumnMessages, signalsColumn: ColumnSignals}
	var all []ColumnOf
	for i := range layout.columns {
		all = append(all, ColumnOf{layout.columns[i].name, types[layout.columns[i].kind]})
	}
	return all, nil
}
