//go:build exporter

package cli

import "github.com/alecthomas/kong"

// workload is empty in a program that only watches (build tag exporter): a
// sixth of the size, for the exporters' image.
type workload struct{}

// workloadVars are what the help of these commands names.
func workloadVars() kong.Vars { return kong.Vars{} }
