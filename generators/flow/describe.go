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
	ends := f.Ends(0)
	order := make([]int, 0, len(ends))
	for i, share := range ends {
		if share > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(ends[j], ends[i]) })
	b.WriteString("\n  ends:")
	for n, i := range order {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s %s", f.States[i].Name, rounded(ends[i]))
	}
	sum := 0.0
	for i, v := range f.Visits(0) {
		if f.States[i].Emit != NoEvent {
			sum += v
		}
	}
	fmt.Fprintf(&b, "\n  events of a run: %.3f on average\n", sum)
	return b.String()
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
	if f.Start.Share == 0 || f.StartedBy >= 0 {
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
	left := uint64(All)
	for i := range s.Next {
		t := &s.Next[i]
		fmt.Fprintf(b, "    -> %s: %s\n", f.States[t.To-f.First].Name, t.words(left, i == 0))
		if t.When == 0 && t.Times == 0 {
			left -= min(left, t.Share)
		}
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

// words says who takes a way, and how long it takes; left is the share that the
// ways before it leave where no fact holds.
func (t *Transition) words(left uint64, first bool) string {
	var out []string
	switch {
	case t.When != 0:
		out = append(out, "when "+t.When.String())
		if t.Share < All {
			out = append(out, share(t.Share))
		}
	case t.Share < All:
		out = append(out, share(t.Share))
	case first:
		out = append(out, "always")
	case left == All:
		out = append(out, "otherwise")
	default:
		out = append(out, "the rest, "+share(left))
	}
	if t.Times > 0 {
		out = append(out, fmt.Sprintf("at most %d times", t.Times))
	}
	if t.After.Law != AtOnce {
		out = append(out, "after "+t.After.String())
	}
	return strings.Join(out, ", ")
}

// Mermaid draws a flow as a Mermaid state diagram.
func Mermaid(f *Flow) string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	fmt.Fprintf(&b, "  [*] --> %s\n", f.States[0].Name)
	for i := range f.States {
		s := &f.States[i]
		if s.Emit != NoEvent {
			fmt.Fprintf(&b, "  %s: %s<br>%s (%s)\n", s.Name, s.Name, s.Emit, s.Status)
		}
		left := uint64(All)
		for j := range s.Next {
			t := &s.Next[j]
			fmt.Fprintf(&b, "  %s --> %s: %s\n", s.Name, f.States[t.To-f.First].Name, t.words(left, j == 0))
			if t.When == 0 && t.Times == 0 {
				left -= min(left, t.Share)
			}
		}
		if s.End {
			fmt.Fprintf(&b, "  %s --> [*]\n", s.Name)
		}
	}
	return b.String()
}
