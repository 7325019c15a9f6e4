package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Describe prints a flow for a person: what it is, its states with what they
// do, the ways between them, and where its runs end.
func Describe(f *Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Name, oneLine(f.Doc))
	fmt.Fprintf(&b, "  stream %s, with %s, channel %s", f.Stream, f.With, f.Channel)
	for _, part := range [][2]string{
		{"abroad ", zeroless(f.Abroad)}, {"amount ", f.Amount.String()}, {"fee ", f.Fee.String()},
	} {
		if part[1] != "" {
			b.WriteString(", " + part[0] + part[1])
		}
	}
	b.WriteString("\n  begins: " + f.begins() + "\n")
	for i := range f.States {
		f.States[i].describe(&b, f)
	}
	b.WriteString("\n  ends: " + f.endings())
	sum := 0.0
	for i, v := range f.Visits(0) {
		if f.States[i].Emit != NoEvent {
			sum += v
		}
	}
	fmt.Fprintf(&b, "\n  events of a run: %.3f on average\n", sum)
	return b.String()
}

// endings says where the runs of a flow end if no fact holds, most of them first.
func (f *Flow) endings() string {
	ends := f.Ends(0)
	order := make([]int, 0, len(ends))
	for i, share := range ends {
		if share > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(ends[j], ends[i]) })
	out := make([]string, len(order))
	for n, i := range order {
		out[n] = f.States[i].Name + " " + rounded(ends[i])
	}
	return strings.Join(out, ", ")
}

// rounded writes a share as percent with three significant digits.
func rounded(x float64) string { return strconv.FormatFloat(x*100, 'g', 3, 64) + "%" }

func zeroless(n uint32) string {
	if n == 0 {
		return ""
	}
	return ppm(n)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// begins says in words how the flow begins.
func (f *Flow) begins() string {
	var ways []string
	switch {
	case f.Start.Monthly():
		ways = append(ways, "for "+ppm(f.Start.Share)+" of the customers, "+f.Start.Every.String())
	case f.Start.Share > 0:
		ways = append(ways, "by itself, weight "+ppm(f.Start.Share)+" in its stream")
	}
	if f.Start.When != 0 {
		ways = append(ways, "when somebody has "+f.Start.When.String())
	}
	if len(ways) == 0 || f.StartedBy >= 0 {
		ways = append(ways, "by another flow")
	}
	return strings.Join(ways, "; ")
}

// describe prints a state and its ways out.
func (s *State) describe(b *strings.Builder, f *Flow) {
	fmt.Fprintf(b, "\n  %s", s.Name)
	if s.Emit != NoEvent {
		fmt.Fprintf(b, " = %s, %s", s.Emit, s.Status)
		if s.Channel != f.Channel {
			fmt.Fprintf(b, ", %s", s.Channel)
		}
		if len(s.Codes) > 0 {
			b.WriteString(", code " + strings.Join(s.Codes, "|"))
		}
	}
	fmt.Fprintf(b, "\n    %s\n", oneLine(s.Doc))
	for _, line := range s.does() {
		fmt.Fprintf(b, "    * %s\n", line)
	}
	for i, words := range s.ways() {
		fmt.Fprintf(b, "    -> %s: %s\n", f.States[s.Next[i].To-f.First].Name, words)
	}
	if s.End {
		b.WriteString("    -> end\n")
	}
}

// does says what entering the state does, in its order.
func (s *State) does() []string {
	var out []string
	if s.Release {
		out = append(out, "release what is held")
	}
	if s.High > 0 {
		out = append(out, "amount becomes "+parts(s.Low, s.High))
	}
	if s.Hold {
		out = append(out, "hold the amount")
	}
	for _, p := range s.Posts {
		what := "amount"
		if p.Fee {
			what = "fee"
		}
		out = append(out, fmt.Sprintf("%s -> %s: %s", p.From, p.To, what))
	}
	if s.Tell != Nothing {
		out = append(out, "tell "+outcomes()[s.Tell])
	}
	if s.starts != "" {
		out = append(out, "start "+s.starts+" and wait")
	}
	return out
}

// ways says of each way out who takes it, and how long it takes.
func (s *State) ways() []string {
	out := make([]string, len(s.Next))
	left := uint64(All) // of those of whom no fact holds
	for i := range s.Next {
		t := &s.Next[i]
		var words []string
		switch {
		case t.When != 0:
			words = append(words, "when "+t.When.String())
			if t.Share < All {
				words = append(words, share(t.Share))
			}
		case t.Share < All:
			words = append(words, share(t.Share))
		case i == 0:
			words = append(words, "always")
		case left == All || left == 0:
			words = append(words, "otherwise")
		default:
			words = append(words, "the rest, "+share(left))
		}
		if t.When == 0 {
			left -= min(left, t.Share)
		}
		if t.Times > 0 {
			words = append(words, fmt.Sprintf("at most %d times", t.Times))
		}
		if t.After.Law != AtOnce {
			words = append(words, "after "+t.After.String())
		}
		out[i] = strings.Join(words, ", ")
	}
	return out
}

// Mermaid draws a flow as a Mermaid state diagram. The states have numbers there,
// so that none has the name of a keyword.
func Mermaid(f *Flow) string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for i := range f.States {
		s := &f.States[i]
		label := s.Name
		if s.Emit != NoEvent {
			label += " = " + s.Emit.String() + ", " + s.Status.String()
		}
		fmt.Fprintf(&b, "  s%d: %s\n", i, label)
	}
	b.WriteString("  [*] --> s0\n")
	for i := range f.States {
		s := &f.States[i]
		for j, words := range s.ways() {
			// A colon would end the label.
			fmt.Fprintf(&b, "  s%d --> s%d: %s\n", i, s.Next[j].To-f.First, strings.ReplaceAll(words, ":", "h"))
		}
		if s.End {
			fmt.Fprintf(&b, "  s%d --> [*]\n", i)
		}
	}
	return b.String()
}
