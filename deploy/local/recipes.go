// Package recipes holds what the local stack is installed and configured from:
// Maven poms, the catalog's main class, Python requirements and the templates
// of the configuration files.
//
// The files are embedded, so that a lone binary can bring the stack up;
// internal/lab/local copies them into the stack's folder, runs the tools on
// them and hashes them to know what is already installed.
//
// It holds no logic: what is done with a recipe is in internal/lab/local.
package recipes

import "embed"

//go:embed kafka catalog registry spark
var files embed.FS

// Read returns a recipe by its path below deploy/local, for example
// "kafka/pom.xml". The set is fixed at build time, so a missing one is a
// mistake in the program and panics.
func Read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return b
}
