//go:build nolab

package lab

import (
	"context"
	"io"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Built reports whether the embedded lab is part of this program.
const Built = false

// Lab is never made in a program without the embedded lab.
type Lab struct{}

func errNotBuilt() error {
	return fail.New(fail.Usage, "use a lakeproof that was built without the tag nolab, or give a lakeproof.yaml",
		"starting the embedded lab: built without the embedded lab")
}

// Start says that the lab is left out.
func Start(context.Context, Options) (*Lab, error) { return nil, errNotBuilt() }

// StoreMain says that the lab is left out.
func StoreMain(context.Context, io.Reader) error { return errNotBuilt() }

// Failed is never called.
func (l *Lab) Failed() <-chan error { return nil }

// Sabotaged is never called.
func (l *Lab) Sabotaged() []Act { return nil }

// Config is never called.
func (l *Lab) Config() config.Lab { return config.Lab{} }

// Flush is never called.
func (l *Lab) Flush(context.Context) error { return errNotBuilt() }

// Close is never called.
func (l *Lab) Close(context.Context) error { return nil }
