package stack

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// Service names one part of the stack.
type Service string

// The services that a stack consists of.
const (
	Temporal Service = "temporal"
	UI       Service = "ui"
	S3       Service = "s3"
)

// Options say what to start and where. Only Dir is required.
type Options struct {
	// Dir holds all data and logs; created if absent.
	Dir string
	// Only limits what is started; empty means everything. UI without Temporal
	// needs TemporalAddress.
	Only []Service

	// Ports wished for; 0 takes a free one. A port that is taken is replaced by
	// a free one, and Stack.Notices says so.
	TemporalPort, UIPort, S3Port int

	// TemporalAddress is what a UI without its own Temporal shows, host:port.
	TemporalAddress string
	// Namespace is registered on the first start; default "default".
	Namespace string
	// Retention keeps closed workflows this long; default 7 days. It takes
	// effect on the first start of a directory.
	Retention time.Duration
	// SearchAttributes are registered in Namespace where missing; default
	// DefaultSearchAttributes. An attribute once registered keeps its type.
	SearchAttributes map[string]enumspb.IndexedValueType
	// LogLevel of the Temporal server's log file: debug, info, warn (default) or error.
	LogLevel string

	// Buckets are created where missing; default "retort". The first is Stack.Bucket.
	Buckets []string
	// AccessKey and SecretKey of the gateway's one account. Empty: a pair is
	// made on the first start and kept in Dir/s3.credentials (mode 0600).
	AccessKey, SecretKey string
}

// DefaultSearchAttributes let Temporal's UI find runs by what people call them.
var DefaultSearchAttributes = map[string]enumspb.IndexedValueType{
	"RetortDataset": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"RetortRun":     enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"RetortState":   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"RetortVersion": enumspb.INDEXED_VALUE_TYPE_INT,
	"RetortCostUSD": enumspb.INDEXED_VALUE_TYPE_DOUBLE,
}

// Region is what the gateway calls its region.
const Region = "us-east-1"

// Bucket names by S3's rules, without the dots that break virtual hosts.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// withDefaults fills what is empty and reports every fault at once.
func (o Options) withDefaults() (Options, error) {
	var faults []error
	if o.Dir == "" {
		faults = append(faults, errors.New("Dir is empty: name a directory for the data, e.g. .retort"))
	} else if abs, err := filepath.Abs(o.Dir); err != nil {
		faults = append(faults, err)
	} else {
		o.Dir = abs
	}
	if len(o.Only) == 0 {
		o.Only = []Service{Temporal, UI, S3}
	}
	for _, s := range o.Only {
		if s != Temporal && s != UI && s != S3 {
			faults = append(faults, fmt.Errorf("unknown service %q: there are temporal, ui and s3", s))
		}
	}
	if o.runs(UI) && !o.runs(Temporal) && o.TemporalAddress == "" {
		faults = append(faults, errors.New("the UI alone needs TemporalAddress (host:port)"))
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.SearchAttributes == nil {
		o.SearchAttributes = DefaultSearchAttributes
	}
	if o.LogLevel == "" {
		o.LogLevel = "warn"
	}
	if len(o.Buckets) == 0 {
		o.Buckets = []string{"retort"}
	}
	for _, b := range o.Buckets {
		if !bucketName.MatchString(b) {
			faults = append(faults, fmt.Errorf("bucket %q: use 3 to 63 of a-z, 0-9 and -", b))
		}
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		faults = append(faults, errors.New("give both AccessKey and SecretKey, or neither"))
	}
	return o, errors.Join(faults...)
}

func (o Options) runs(s Service) bool { return slices.Contains(o.Only, s) }
