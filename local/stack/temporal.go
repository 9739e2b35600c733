package stack

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// clusterName is written into the database on the first start.
const clusterName = "active"

// startTemporal runs the four services of a Temporal server in this process.
func (s *Stack) startTemporal(ctx context.Context, o Options, plan portPlan) error {
	lock, err := lockFile(filepath.Join(o.Dir, "temporal.lock"))
	if err != nil {
		return err
	}
	s.onStop(lock.Close)

	store := sqliteStore(filepath.Join(o.Dir, "temporal.sqlite"))
	if err := prepareDatabase(store, o); err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{
		Level: o.LogLevel, OutputFile: o.logPath("temporal"),
	}))
	server, err := temporal.NewServer(
		temporal.WithConfig(temporalConfig(store, plan)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(plan)),
		temporal.WithDynamicConfigClient(dynamicConfig()),
		temporal.WithLogger(logger),
	)
	if err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("temporal: start (see %s): %w", o.logPath("temporal"), err)
	}
	s.onStop(server.Stop)
	s.TemporalAddress = local(plan.frontend)
	return s.awaitTemporal(ctx, o)
}

// awaitTemporal returns when the frontend serves the namespace with every
// search attribute asked for.
func (s *Stack) awaitTemporal(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := sdkclient.DialContext(ctx, sdkclient.Options{
		HostPort: s.TemporalAddress, Namespace: o.Namespace, Logger: quiet{},
	})
	if err != nil {
		return fmt.Errorf("temporal does not answer on %s (see %s): %w", s.TemporalAddress, o.logPath("temporal"), err)
	}
	defer c.Close()
	return ensureSearchAttributes(ctx, c, o)
}

func temporalConfig(store *config.SQL, plan portPlan) *config.Config {
	cfg := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: 1, // one writer: more shards only contend for it
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: local(plan.frontend),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: local(plan.frontend)},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
		Services: map[string]config.Service{},
	}
	cfg.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: "127.0.0.1"}
	for name, port := range servicePorts(plan) {
		cfg.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: "127.0.0.1"}}
	}
	return cfg
}

func servicePorts(plan portPlan) map[primitives.ServiceName]int {
	return map[primitives.ServiceName]int{
		primitives.FrontendService: plan.frontend,
		primitives.HistoryService:  plan.history,
		primitives.MatchingService: plan.matching,
		primitives.WorkerService:   plan.worker,
	}
}

// staticHosts replaces the gossip between services, which after a kill -9
// would first look for the dead process.
func staticHosts(plan portPlan) map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range servicePorts(plan) {
		hosts[name] = static.SingleLocalHost(local(port))
	}
	return hosts
}

// dynamicConfig fits the server to one machine: one partition a task queue
// (less polling, lower latency), no rate limits meant for many tenants, and
// search attributes usable the moment they are added.
func dynamicConfig() dynamicconfig.StaticClient {
	const unlimited = 1_000_000
	return dynamicconfig.StaticClient{
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():      1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key():     1,
		dynamicconfig.FrontendRPS.Key():                             unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():      unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():               unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():               unlimited,
	}
}

// quiet drops the SDK's own messages: whatever matters comes back as an error.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
