//go:build exporter

package cli

// workload is empty in a program that only watches (build tag exporter): a
// sixth of the size, for the exporters' image.
type workload struct{}
