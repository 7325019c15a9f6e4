package flow

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

//go:embed flows/*.yaml
var shipped embed.FS

// File is a flow of the user.
type File struct {
	Name string // for messages
	Text []byte
}

// Set is flows that belong together: all states in one table.
type Set struct {
	Machine
	Flows []*Flow // in the order of their names
}

// Shipped returns the names of the flows in the binary.
func Shipped() []string {
	files, err := fs.Glob(shipped, "flows/*.yaml")
	if err != nil {
		return nil // the pattern is constant and right
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "flows/"), ".yaml")
	}
	slices.Sort(files)
	return files
}

// Text returns a shipped flow as it is written, or nil.
func Text(name string) []byte {
	text, err := shipped.ReadFile("flows/" + name + ".yaml")
	if err != nil {
		return nil
	}
	return text
}

// Load joins the shipped flows with those of the user. A flow of the user
// replaces the shipped one of the same name.
func Load(user ...File) (*Set, error) {
	flows := map[string]*Flow{}
	for _, name := range Shipped() {
		f, err := Parse(name+".yaml", Text(name))
		if err != nil {
			return nil, fmt.Errorf("reading the shipped flow %s: %w", name, err)
		}
		flows[name] = f
	}
	own := map[string]string{}
	for _, file := range user {
		f, err := Parse(file.Name, file.Text)
		if err != nil {
			return nil, fmt.Errorf("reading a flow: %w", err)
		}
		if other, twice := own[f.Name]; twice {
			return nil, f.refuse(f.line, "give one of them another name", "flow %q is there already, in %s", f.Name, other)
		}
		own[f.Name], flows[f.Name] = f.source, f
	}
	return link(flows)
}

// link gives all states their numbers in one table, and joins those that start
// flows with the flows.
func link(flows map[string]*Flow) (*Set, error) {
	set := &Set{}
	for _, f := range flows {
		set.Flows = append(set.Flows, f)
	}
	slices.SortFunc(set.Flows, func(a, b *Flow) int { return strings.Compare(a.Name, b.Name) })
	if len(set.Flows) > MaxFlows {
		return nil, fail.New(fail.Usage, "take flows out", "reading the flows: %d are more than %d", len(set.Flows), MaxFlows)
	}
	for number, f := range set.Flows {
		f.First = len(set.States)
		for i := range f.States {
			s := &f.States[i]
			s.Flow = number
			for j := range s.Next {
				s.Next[j].To += f.First
			}
		}
		set.States = append(set.States, f.States...)
		f.States = nil // it is a part of the table
	}
	for i, f := range set.Flows {
		end := len(set.States)
		if i+1 < len(set.Flows) {
			end = set.Flows[i+1].First
		}
		f.States = set.States[f.First:end:end]
	}
	for i := range set.States {
		if err := set.join(i); err != nil {
			return nil, err
		}
	}
	for i, f := range set.Flows {
		if f.Start.Share == 0 && f.Start.When == 0 && f.StartedBy < 0 {
			return nil, f.refuse(f.line,
				"let it begin by itself, start: {share: 5%}, or in a state of another flow, starts: "+f.Name,
				"nothing starts flow %q", f.Name)
		}
		if set.starts(i, i, map[int]bool{}) {
			return nil, f.refuse(f.line, "start one flow after the other, from the first",
				"flow %q starts itself, perhaps by way of others", f.Name)
		}
	}
	return set, nil
}

// starts reports whether a flow starts another, perhaps by way of others.
func (s *Set) starts(flow, other int, seen map[int]bool) bool {
	for i := range s.Flows[flow].States {
		next := s.Flows[flow].States[i].Starts
		if next == other {
			return true
		}
		if next >= 0 && !seen[next] {
			seen[next] = true
			if s.starts(next, other, seen) {
				return true
			}
		}
	}
	return false
}

// ByName returns the flow of that name, or nil.
func (s *Set) ByName(name string) *Flow {
	if i := s.number(name); i >= 0 {
		return s.Flows[i]
	}
	return nil
}

// number is the number of the flow of that name, or -1.
func (s *Set) number(name string) int {
	return slices.IndexFunc(s.Flows, func(f *Flow) bool { return f.Name == name })
}

// join finds the flow that a state starts.
func (s *Set) join(number int) error {
	state := &s.States[number]
	if state.starts == "" {
		return nil
	}
	parent, child := s.Flows[state.Flow], s.ByName(state.starts)
	if child == nil {
		names := make([]string, len(s.Flows))
		for i, f := range s.Flows {
			names[i] = f.Name
		}
		return parent.refuse(state.line, nearest(state.starts, names), "state %q starts %q, which is no flow",
			state.Name, state.starts)
	}
	switch {
	case !child.tells():
		return parent.refuse(state.line, "add tells: succeeded, or failed, where it is decided in "+child.Name,
			"state %q waits for flow %q, which never tells its outcome", state.Name, child.Name)
	case parent.Amount.Law == NoAmount || child.Amount.Law == NoAmount:
		return parent.refuse(state.line, "give both an amount", "flow %q has no amount that flow %q could have",
			parent.Name, child.Name)
	}
	state.Starts = s.number(child.Name)
	if child.StartedBy < 0 {
		child.StartedBy = number
	}
	return nil
}

// tells reports whether a flow tells an outcome.
func (f *Flow) tells() bool {
	return slices.ContainsFunc(f.States, func(s State) bool { return s.Tell != Nothing })
}

// refuse is an error at a line of the flow's file.
func (f *Flow) refuse(line int, hint, format string, args ...any) error {
	return fail.New(fail.Usage, hint, "%s:%d: %s", f.source, line, fmt.Sprintf(format, args...))
}
