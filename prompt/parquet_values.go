package prompt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

var (
	errTextNotUTF8 = errors.New("the text is not valid UTF-8")
	errRowTooLarge = fmt.Errorf("the row has more than %d MiB", MaxRowBytes>>20)
)

// arrowValue is a value of a row: texts, numbers written plainly, booleans, null, lists and objects; times and dates as text
// (RFC 3339). NaN and infinities, by which dataframes mark what is missing, are null. left is what the row may still hold.
func arrowValue(a arrow.Array, i int, left *int) (any, error) {
	if *left -= 8; *left < 0 {
		return nil, errRowTooLarge
	}
	if a.IsNull(i) {
		return nil, nil
	}
	switch a := a.(type) {
	case *array.String:
		return text(a.Value(i), left)
	case *array.LargeString:
		return text(a.Value(i), left)
	case *array.Binary:
		return text(string(a.Value(i)), left)
	case *array.LargeBinary:
		return text(string(a.Value(i)), left)
	case *array.FixedSizeBinary:
		return text(string(a.Value(i)), left)
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Null:
		return nil, nil
	case *array.Dictionary:
		return arrowValue(a.Dictionary(), a.GetValueIndex(i), left)
	case *array.Struct:
		return object(a, i, left)
	case *array.Map:
		return mapping(a, i, left)
	case array.ListLike:
		start, end := a.ValueOffsets(i)
		return list(a.ListValues(), int(start), int(end), left)
	}
	if n, ok := numeric(a, i); ok {
		return n, nil
	}
	return temporal(a, i)
}

func text(s string, left *int) (any, error) {
	if *left -= len(s); *left < 0 {
		return nil, errRowTooLarge
	}
	if !utf8.ValidString(s) {
		return nil, errTextNotUTF8
	}
	return strings.Clone(s), nil // Arrow's memory is used again for the next batch
}

func object(a *array.Struct, i int, left *int) (any, error) {
	kind := a.DataType().(*arrow.StructType)
	out := make(map[string]any, a.NumField())
	for f := range a.NumField() {
		v, err := arrowValue(a.Field(f), i, left)
		if err != nil {
			return nil, err
		}
		out[kind.Field(f).Name] = v
	}
	return out, nil
}

func mapping(a *array.Map, i int, left *int) (any, error) {
	start, end := a.ValueOffsets(i)
	out := make(map[string]any, end-start)
	for k := int(start); k < int(end); k++ {
		key, err := arrowValue(a.Keys(), k, left)
		if err != nil {
			return nil, err
		}
		value, err := arrowValue(a.Items(), k, left)
		if err != nil {
			return nil, err
		}
		name, err := textOf(key)
		if err != nil {
			return nil, errors.New("a map has a key that is no text or number")
		}
		out[name] = value
	}
	return out, nil
}

func list(values arrow.Array, start, end int, left *int) (any, error) {
	out := make([]any, 0, min(end-start, 1024))
	for k := start; k < end; k++ {
		v, err := arrowValue(values, k, left)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func numeric(a arrow.Array, i int) (any, bool) {
	switch a := a.(type) {
	case *array.Int8:
		return whole(int64(a.Value(i))), true
	case *array.Int16:
		return whole(int64(a.Value(i))), true
	case *array.Int32:
		return whole(int64(a.Value(i))), true
	case *array.Int64:
		return whole(a.Value(i)), true
	case *array.Uint8:
		return whole(int64(a.Value(i))), true
	case *array.Uint16:
		return whole(int64(a.Value(i))), true
	case *array.Uint32:
		return whole(int64(a.Value(i))), true
	case *array.Uint64:
		return json.Number(strconv.FormatUint(a.Value(i), 10)), true
	case *array.Float16:
		return broken(float64(a.Value(i).Float32()), 32), true
	case *array.Float32:
		return broken(float64(a.Value(i)), 32), true
	case *array.Float64:
		return broken(a.Value(i), 64), true
	case *array.Decimal128, *array.Decimal256:
		return json.Number(a.(interface{ ValueStr(int) string }).ValueStr(i)), true
	}
	return nil, false
}

func whole(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func broken(f float64, bits int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, bits))
}

func temporal(a arrow.Array, i int) (any, error) {
	switch a := a.(type) {
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return a.Value(i).ToTime(unit).UTC().Format(time.RFC3339Nano), nil
	case *array.Date32:
		return a.Value(i).ToTime().Format(time.DateOnly), nil
	case *array.Date64:
		return a.Value(i).ToTime().Format(time.DateOnly), nil
	case *array.Time32, *array.Time64:
		return a.ValueStr(i), nil
	}
	return nil, fmt.Errorf("values of type %s are not read", a.DataType())
}
