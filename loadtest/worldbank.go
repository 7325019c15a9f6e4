package loadtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/pacer"
)

// config is what the bank of a world is made of, but for its times.
func (w *WorldSpec) config(seed uint64) (bank.Config, error) {
	flows, err := flow.Load(w.Flows...)
	return bank.Config{
		Seed: generators.Seed(seed), Customers: w.Customers, Merchants: w.Merchants, Flows: flows, Crimes: w.Crimes,
		Trouble: w.Trouble,
	}, err
}

// Bank is the configuration of the world's bank where a schedule paces its
// payments and nothing else. Start must be known. Where the schedule follows a
// curve, customers do new things by the hours of their own market.
func (w *WorldSpec) Bank(seed uint64, payments pacer.Schedule) (bank.Config, error) {
	c, err := w.config(seed)
	if err != nil {
		return c, err
	}
	c.Start, c.Zones = w.Start.UnixMicro(), payments.Zones()
	c.Clocks = map[flow.Stream]bank.Clock{
		flow.Payments: paced{calendar.Clock{Speed: w.Speed, Event: c.Start}, payments},
	}
	return c, nil
}

// fileNames are names of files, or one name.
type fileNames []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *fileNames) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.ScalarNode:
		*f = fileNames{n.Value}
		return nil
	case yaml.SequenceNode:
		return n.Decode((*[]string)(f))
	default:
		return fmt.Errorf("line %d: flows is the name of a file, or a list of them", n.Line)
	}
}

// finder says where a file is that a scenario names, by its place in the list.
type finder func(i int, name string) string

// flowCopy is the name of the copy of a user's flow in a run's folder.
func flowCopy(i int) string { return fmt.Sprintf("flow-%d.yaml", i) }

// writeScenario writes what was run into the run's folder.
func (r *run) writeScenario() error {
	err := writeFile(filepath.Join(r.dir, scenarioFileName), []byte(r.plan.Scenario.Text))
	for i, f := range r.plan.Scenario.World.Flows {
		err = errors.Join(err, writeFile(filepath.Join(r.dir, flowCopy(i)), f.Text))
	}
	return err
}

// read reads the flows of the user and checks them together with the shipped
// ones.
func (f fileNames) read(find finder) ([]flow.File, error) {
	var out []flow.File
	for i, name := range f {
		text, err := os.ReadFile(find(i, name))
		if err != nil {
			return nil, fail.Wrap(fmt.Errorf("reading the flows: %w", err), fail.Usage,
				"give a file that is there; its name counts from the folder of the scenario")
		}
		out = append(out, flow.File{Name: name, Text: text})
	}
	if len(out) == 0 {
		return nil, nil
	}
	_, err := flow.Load(out...)
	return out, err
}
