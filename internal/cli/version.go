package cli

import "github.com/lakeproof/lakeproof/internal/version"

type versionCmd struct{}

// Help implements kong.HelpProvider.
func (*versionCmd) Help() string {
	return `Example:

    lakeproof version`
}

// Run implements the command.
func (*versionCmd) Run(a *app) error { return a.print(version.Get().String()) }
