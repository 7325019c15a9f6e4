package delivery

import (
	"fmt"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Evolve changes the schema of a stream while it runs. One of Event, Slot and
// After says from when on; zero of all three is not allowed.
type Evolve struct {
	Event uint64        // from this truth record on
	Slot  uint64        // from the records drawn in this slot on
	After time.Duration // from the first slot that is due then

	Add    []generators.Field // before the checksum
	Remove []string
	Rename []Rename
	Retype []Retype
	// Compatible is what the author believes: that readers with the old schema
	// go on. Check refuses a change of which that is not so, or not not so.
	Compatible bool
}

// Rename gives a field another name.
type Rename struct{ From, To string }

// Retype gives a field another kind.
type Retype struct {
	Name string
	Kind generators.Kind
}

// String says the change in one line.
func (e Evolve) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case e.Event > 0:
		add("event=%d", e.Event)
	case e.Slot > 0:
		add("slot=%d", e.Slot)
	default:
		add("after=%s", e.After)
	}
	for _, f := range e.Add {
		add("add=%s:%s", f.Name, kindName(f.Kind, f.Nullable))
	}
	for _, name := range e.Remove {
		add("remove=%s", name)
	}
	for _, r := range e.Rename {
		add("rename=%s:%s", r.From, r.To)
	}
	for _, r := range e.Retype {
		add("retype=%s:%s", r.Name, kindName(r.Kind, false))
	}
	if e.Compatible {
		add("compatible")
	}
	return strings.Join(parts, " ")
}

func kindName(k generators.Kind, nullable bool) string {
	names := []string{"uuid", "string", "int", "long", "bool", "timestamp", "checksum"}
	name := fmt.Sprintf("kind(%d)", k)
	if int(k) < len(names) {
		name = names[k]
	}
	if nullable {
		name += "?"
	}
	return name
}

// maxVersions keeps Send.Version in a byte.
const maxVersions = 255

func checkEvolve(list []Evolve, slots uint64, run time.Duration) error {
	if len(list) >= maxVersions {
		return fail.New(fail.Usage, "leave some out",
			"checking evolve: %d changes are more than %d", len(list), maxVersions-1)
	}
	for i, e := range list {
		set := 0
		for _, is := range []bool{e.Event > 0, e.Slot > 0, e.After != 0} {
			if is {
				set++
			}
		}
		late := e.Event >= slots || e.Slot >= slots || e.After >= run
		switch {
		case set != 1 || e.After < 0:
			return fail.New(fail.Usage, "give one of event, slot and after, above 0",
				"checking evolve %d: when it happens must be said once", i+1)
		case late:
			return fail.New(fail.Usage, "let it happen earlier, or make the run longer",
				"checking evolve %d: %s is beyond the run of %d slots in %v", i+1, e, slots, run)
		case len(e.Add)+len(e.Remove)+len(e.Rename)+len(e.Retype) == 0:
			return fail.New(fail.Usage, "add, remove, rename or retype a field", "checking evolve %d: nothing changes", i+1)
		}
	}
	return nil
}
