package schema

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/parquet"
	pq "github.com/apache/arrow/go/v17/parquet/schema"
)

var errTextNotUTF8 = errors.New("the text is not valid UTF-8")

// tableConverter turns the values of a column into those of a row, by its logical type (Parquet format, LogicalTypes.md).
func tableConverter(n *pq.PrimitiveNode) func(any) (any, error) {
	switch l := n.LogicalType().(type) {
	case pq.DecimalLogicalType:
		return func(v any) (any, error) { return decimal(unscaled(v), int(l.Scale())), nil }
	case *pq.DecimalLogicalType:
		return func(v any) (any, error) { return decimal(unscaled(v), int(l.Scale())), nil }
	case pq.DateLogicalType, *pq.DateLogicalType:
		return func(v any) (any, error) { return date(v) }
	case pq.TimestampLogicalType:
		return func(v any) (any, error) { return timestamp(v, l.TimeUnit(), l.IsAdjustedToUTC()) }
	case *pq.TimestampLogicalType:
		return func(v any) (any, error) { return timestamp(v, l.TimeUnit(), l.IsAdjustedToUTC()) }
	case pq.TimeLogicalType:
		return func(v any) (any, error) { return timeOfDay(v, l.TimeUnit()) }
	case *pq.TimeLogicalType:
		return func(v any) (any, error) { return timeOfDay(v, l.TimeUnit()) }
	case pq.IntLogicalType:
		return func(v any) (any, error) { return integer(v, l.IsSigned()), nil }
	case *pq.IntLogicalType:
		return func(v any) (any, error) { return integer(v, l.IsSigned()), nil }
	case pq.UUIDLogicalType, *pq.UUIDLogicalType:
		return uuid
	case pq.Float16LogicalType, *pq.Float16LogicalType:
		return half
	}
	return plainValue
}

func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case int32, int64:
		return integer(v, true), nil
	case float32:
		return float(float64(v), 32), nil
	case float64:
		return float(v, 64), nil
	case parquet.ByteArray:
		return tableText(v)
	case parquet.FixedLenByteArray:
		return tableText(v)
	case parquet.Int96: // timestamps of old Spark and Impala
		return v.ToTime().UTC().Format(time.RFC3339Nano), nil
	}
	return nil, errors.New("values of this type are not read")
}

// tableText copies: the page's memory is used again.
func tableText(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errTextNotUTF8
	}
	return string(b), nil
}

func integer(v any, signed bool) any {
	switch v := v.(type) {
	case int32:
		if !signed {
			return json.Number(strconv.FormatUint(uint64(uint32(v)), 10))
		}
		return json.Number(strconv.FormatInt(int64(v), 10))
	case int64:
		if !signed {
			return json.Number(strconv.FormatUint(uint64(v), 10))
		}
		return json.Number(strconv.FormatInt(v, 10))
	}
	return nil
}

func float(f float64, bits int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, bits))
}

func half(v any) (any, error) {
	b, ok := v.(parquet.FixedLenByteArray)
	if !ok || len(b) != 2 {
		return nil, errors.New("a half float has not 2 bytes")
	}
	return float(float64(float16.FromBits(binary.LittleEndian.Uint16(b)).Float32()), 32), nil
}

// unscaled is the whole number of a decimal: two's complement, big-endian where it is bytes.
func unscaled(v any) *big.Int {
	switch v := v.(type) {
	case int32:
		return big.NewInt(int64(v))
	case int64:
		return big.NewInt(v)
	case parquet.ByteArray:
		return twosComplement(v)
	case parquet.FixedLenByteArray:
		return twosComplement(v)
	}
	return new(big.Int)
}

func twosComplement(b []byte) *big.Int {
	b = b[:min(len(b), 64)]
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func decimal(n *big.Int, scale int) json.Number {
	scale = max(0, min(scale, 100))
	digits := new(big.Int).Abs(n).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		digits = "-" + digits
	}
	return json.Number(digits)
}

func date(v any) (any, error) {
	days, ok := v.(int32)
	if !ok {
		return plainValue(v)
	}
	return time.Unix(0, 0).UTC().AddDate(0, 0, int(days)).Format(time.DateOnly), nil
}

// instant splits a count of units since midnight or the epoch.
func instant(n int64, unit pq.TimeUnitType) time.Time {
	switch unit {
	case pq.TimeUnitMillis:
		return time.UnixMilli(n).UTC()
	case pq.TimeUnitMicros:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

func timestamp(v any, unit pq.TimeUnitType, utc bool) (any, error) {
	n, ok := v.(int64)
	if !ok {
		return plainValue(v)
	}
	if utc {
		return instant(n, unit).Format(time.RFC3339Nano), nil
	}
	return instant(n, unit).Format("2006-01-02T15:04:05.999999999"), nil
}

func timeOfDay(v any, unit pq.TimeUnitType) (any, error) {
	switch n := v.(type) {
	case int32:
		return instant(int64(n), unit).Format("15:04:05.999999999"), nil
	case int64:
		return instant(n, unit).Format("15:04:05.999999999"), nil
	}
	return plainValue(v)
}

func uuid(v any) (any, error) {
	b, ok := v.(parquet.FixedLenByteArray)
	if !ok || len(b) != 16 {
		return nil, errors.New("a UUID has not 16 bytes")
	}
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"), nil
}
