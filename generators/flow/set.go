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
	for _, f := range set.Flows {
		if f.Start.Share == 0 && f.StartedBy < 0 {
			return nil, f.refuse(f.line,
				"let it begin by itself, start: {share: 5%}, or in a state of another flow, starts: "+f.Name,
				"nothing starts flow %q", f.Name)
		}
	}
	return set, nil
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
	tells, starts := child.talks()
	switch {
	case !tells:
		return parent.refuse(state.line, "add tells: succeeded and tells: failed to states of "+child.Name,
			"state %q waits for flow %q, which never tells its outcome", state.Name, child.Name)
	case starts:
		return parent.refuse(state.line, "start one flow after the other, from the first",
			"state %q starts flow %q, which starts another itself", state.Name, child.Name)
	case child.StartedBy >= 0:
		return parent.refuse(state.line, "lead both to one state that starts it, or copy the flow under another name",
			"flow %q is started by state %q and by state %q", child.Name, s.States[child.StartedBy].Name, state.Name)
	case child.With != parent.With:
		return parent.refuse(state.line, "write the same with: in both", "flow %q is with %s, but starts flow %q with %s",
			parent.Name, parent.With, child.Name, child.With)
	case parent.Amount.Law == NoAmount || child.Amount.Law == NoAmount:
		return parent.refuse(state.line, "give both an amount", "flow %q has no amount that flow %q could have",
			parent.Name, child.Name)
	}
	state.Starts = s.number(child.Name)
	child.StartedBy = number
	return nil
}

// talks reports whether a flow tells an outcome, and whether it starts flows.
func (f *Flow) talks() (tells, starts bool) {
	for i := range f.States {
		tells = tells || f.States[i].Tell != Nothing
		starts = starts || f.States[i].starts != ""
	}
	return tells, starts
}

// refuse is an error at a line of the flow's file.
func (f *Flow) refuse(line int, hint, format string, args ...any) error {
	return fail.New(fail.Usage, hint, "%s:%d: %s", f.source, line, fmt.Sprintf(format, args...))
}
