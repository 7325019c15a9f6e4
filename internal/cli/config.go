package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

type configCmd struct {
	Init     configInitCmd     `cmd:"" help:"Write a commented lakeproof.yaml."`
	Show     configShowCmd     `cmd:"" help:"Print the configuration whole, secrets redacted."`
	Validate configValidateCmd `cmd:"" help:"Check the configuration; no system is asked."`
}

type configInitCmd struct {
	Force bool `help:"Replace a file that is there."`
}

// Help implements kong.HelpProvider.
func (*configInitCmd) Help() string {
	return `Example:

    lakeproof config init
    lakeproof config init --config home.yaml`
}

// Run implements the command.
func (c *configInitCmd) Run(a *app) error {
	name := a.globals.Config
	if name == "" {
		name = config.DefaultPath
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if c.Force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, mode, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fail.New(fail.Usage, "use --force to replace it, or --config to choose another name",
			"writing %s: the file is already there", name)
	}
	if err != nil {
		return fail.Wrap(fmt.Errorf("writing the configuration: %w", err), fail.Usage,
			"choose a folder that exists and is writable")
	}
	_, err = f.WriteString(config.Template())
	if err := errors.Join(err, f.Close()); err != nil {
		return fail.Wrap(fmt.Errorf("writing the configuration: %w", err), fail.Internal, "see whether the disk is full")
	}
	a.say("wrote %s: keep what your lab has, then try `lakeproof config show`", name)
	return nil
}

type configShowCmd struct{}

// Help implements kong.HelpProvider.
func (*configShowCmd) Help() string {
	return `What is printed is a lakeproof.yaml with every default and every override of the environment in it.

Example:

    LAKEPROOF_KAFKA_BROKERS=broker:9092 lakeproof config show`
}

// Run implements the command.
func (*configShowCmd) Run(a *app) error {
	lab, err := a.lab()
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := config.Show(&text, lab); err != nil {
		return err
	}
	return a.print(text.String())
}

type configValidateCmd struct{}

// Help implements kong.HelpProvider.
func (*configValidateCmd) Help() string {
	return `Example:

    lakeproof config validate --config home.yaml`
}

// Run implements the command.
func (*configValidateCmd) Run(a *app) error {
	lab, err := a.lab()
	if err != nil {
		return err
	}
	return a.print(fmt.Sprintf("lab %q is valid\n", lab.Name))
}
