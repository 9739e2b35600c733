package main

import "context"

// runWorker runs Retort's worker with the configuration at path until ctx ends,
// then drains it. It is nil in a build without a worker; up says so.
var runWorker func(ctx context.Context, configPath string) error
