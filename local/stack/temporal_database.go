package stack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// sqliteStore is a write-ahead log with relaxed syncing on one connection. The
// default journal is four times slower, and more connections bring
// SQLITE_BUSY. synchronous=normal loses nothing to a kill -9, only, at worst,
// the last transactions to a power cut; the file stays consistent.
func sqliteStore(path string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: uriPath(path),
		MaxConns:     1,
		MaxIdleConns: 1,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "normal",
			"busy_timeout": "10000",
		},
	}
}

// uriPath escapes what would end the path in SQLite's file: URI.
func uriPath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// prepareDatabase makes the schema and the namespace where they are missing.
func prepareDatabase(store *config.SQL, o Options) error {
	path, err := url.PathUnescape(store.DatabaseName)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := createSchema(path); err != nil {
			return fmt.Errorf("create %s: %w", path, err)
		}
	} else if err != nil {
		return err
	}
	ns, err := sqlite.NewNamespaceConfig(clusterName, o.Namespace, false, o.SearchAttributes)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", o.Namespace, err)
	}
	ns.Detail.Config.Retention = durationpb.New(o.Retention)
	if err := sqlite.CreateNamespaces(store, ns); err != nil {
		return fmt.Errorf("namespace %s in %s: %w", o.Namespace, path, err)
	}
	return nil
}

// createSchema builds the database under another name and moves it into place,
// so that a process killed half-way leaves no half schema behind.
func createSchema(path string) error {
	building := path + ".new"
	if err := os.Remove(building); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := sqlite.SetupSchema(&config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: uriPath(building),
		ConnectAttributes: map[string]string{
			"mode": "rwc", "journal_mode": "delete", "synchronous": "off",
		},
	})
	if err != nil {
		return err
	}
	f, err := os.Open(building)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(building, path)
}

// ensureSearchAttributes adds those that an older database lacks.
func ensureSearchAttributes(ctx context.Context, c sdkclient.Client, o Options) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: o.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	var faults []string
	for name, kind := range o.SearchAttributes {
		switch now, ok := have.CustomAttributes[name]; {
		case !ok:
			missing[name] = kind
		case now != kind:
			faults = append(faults, fmt.Sprintf("%s is %v there and %v here", name, now, kind))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("search attributes of %s differ: %s: use another directory", o.Dir, strings.Join(faults, "; "))
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: o.Namespace, SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	return nil
}
