//go:build !exporter

package cli

import (
	"context"

	"github.com/lakeproof/lakeproof/internal/lab"
)

type storeCmd struct{}

// Run implements the command: the child process of the embedded lab. Its
// parent ends it by closing the pipe, so an interrupt of the terminal is left
// to the parent.
func (*storeCmd) Run(a *app) error {
	ctx, release := a.Signals(context.Background())
	defer release()
	return lab.StoreMain(context.WithoutCancel(ctx), a.Stdin)
}
