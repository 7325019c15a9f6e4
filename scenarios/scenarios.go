// Package scenarios holds the shipped scenarios. Each is a file that a user
// can copy and change; the load test reads them by name.
//
// It holds no code: the scenario language is read in package loadtest.
package scenarios

import "embed"

// Files holds one YAML file for each shipped scenario.
//
//go:embed *.yaml
var Files embed.FS
