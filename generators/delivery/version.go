package delivery

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Version is one version of a stream's schema.
type Version struct {
	Number uint8
	Schema *generators.Schema
	First  *generators.Schema // version 1, of which the streams make the events
	Change Evolve             // that led to it; zero for version 1
	from   []int              // by field: its place in the first version, or -1 for one that was added
	added  []addition         // by field; of those that were added
}

// addition makes the values of a field that was added.
type addition struct {
	random generators.Rand
	words  []string
}

// Versions derives the versions of a schema: version 1 is the schema itself,
// and each change makes the next one.
func Versions(seed generators.Seed, first *generators.Schema, changes []Evolve) ([]Version, error) {
	if err := first.Check(); err != nil {
		return nil, err
	}
	v := Version{Number: 1, Schema: first, First: first, added: make([]addition, len(first.Fields))}
	for i := range first.Fields {
		v.from = append(v.from, i)
	}
	out := []Version{v}
	for i, change := range changes {
		next, err := derive(seed, &out[i], change)
		if err != nil {
			return nil, fail.Wrap(fmt.Errorf("changing schema %s to version %d: %w", first.Name, i+2, err), fail.Usage,
				"change fields that the version before has; names and kinds are in the stream's schema")
		}
		out = append(out, next)
	}
	return out, nil
}

// derive applies one change to a version.
func derive(seed generators.Seed, old *Version, change Evolve) (Version, error) {
	schema := *old.Schema
	schema.Fields = slices.Clone(schema.Fields)
	v := Version{
		Number: old.Number + 1, Schema: &schema, First: old.First, Change: change,
		from: slices.Clone(old.from), added: slices.Clone(old.added),
	}
	if err := v.alter(change); err != nil {
		return v, err
	}
	for _, name := range change.Remove {
		i, err := v.find(name)
		if err != nil {
			return v, err
		}
		schema.Fields = slices.Delete(schema.Fields, i, i+1)
		v.from, v.added = slices.Delete(v.from, i, i+1), slices.Delete(v.added, i, i+1)
	}
	for _, f := range change.Add {
		if err := v.fresh(f.Name); err != nil {
			return v, err
		}
		last := len(schema.Fields) - 1
		schema.Fields = slices.Insert(schema.Fields, last, f)
		v.from, v.added = slices.Insert(v.from, last, -1), slices.Insert(v.added, last, newAddition(seed, f))
	}
	if err := schema.Check(); err != nil {
		return v, err
	}
	if is := compatible(old.Schema, &schema); is != change.Compatible {
		return v, fail.New(fail.Usage, fmt.Sprintf("write compatible: %v, or change something else", is),
			"the change %q is declared compatible: %v, but it is %v", change, change.Compatible, is)
	}
	return v, nil
}

// alter gives fields other kinds and names.
func (v *Version) alter(change Evolve) error {
	for _, r := range change.Retype {
		if err := v.retype(r); err != nil {
			return err
		}
	}
	for _, r := range change.Rename {
		i, err := v.find(r.From)
		if err == nil {
			err = v.fresh(r.To)
		}
		if err != nil {
			return err
		}
		v.Schema.Fields[i].Name = r.To
	}
	return nil
}

// find returns the place of a field that may be changed.
func (v *Version) find(name string) (int, error) {
	i := v.Schema.Index(name)
	if i < 0 {
		return 0, fmt.Errorf("there is no field %q", name)
	}
	if i == 0 || i == len(v.Schema.Fields)-1 {
		return 0, fmt.Errorf("field %q must stay: records are found and compared by it", name)
	}
	return i, nil
}

// fresh refuses a name of the first version: its readers would take the new
// field for the old one, and what they make of it would depend on the values.
func (v *Version) fresh(name string) error {
	if v.First.Index(name) >= 0 {
		return fmt.Errorf("field %q is a name of version 1; use another", name)
	}
	return nil
}

func (v *Version) retype(r Retype) error {
	i, err := v.find(r.Name)
	if err != nil {
		return err
	}
	f := &v.Schema.Fields[i]
	switch {
	case f.Nullable:
		return fmt.Errorf("field %q: nulls would still be read, so no one could say what becomes of a record: "+
			"retype a required field", r.Name)
	case v.from[i] < 0 || v.First.Fields[v.from[i]].Kind != f.Kind:
		return fmt.Errorf("field %q: only a kind of version 1 changes, and once", r.Name)
	case !convertible(f.Kind, r.Kind):
		return fmt.Errorf("field %q: %s cannot become %s", r.Name, kindName(f.Kind, false), kindName(r.Kind, false))
	}
	f.Kind, f.Plain = r.Kind, r.Kind == generators.String
	return nil
}

// convertible says which kinds can become which, without loss but for a string
// that becomes a number.
func convertible(from, to generators.Kind) bool {
	switch to {
	case generators.String:
		return from == generators.Int || from == generators.Long || from == generators.Bool || from == generators.Timestamp
	case generators.Long:
		return from == generators.Int || from == generators.Timestamp || from == generators.String
	case generators.Int:
		return from == generators.Bool
	default:
		return false
	}
}

// compatible reports whether the change breaks nobody: a reader with the old
// schema reads new records, and one with the new schema old records, and no
// required field is lost. It is what registries call FULL.
func compatible(old, now *generators.Schema) bool {
	for _, f := range now.Fields {
		if old.Index(f.Name) < 0 && !f.Nullable {
			return false
		}
	}
	for _, f := range old.Fields {
		i := now.Index(f.Name)
		if i < 0 && !f.Nullable || i >= 0 && now.Fields[i].Kind != f.Kind {
			return false
		}
	}
	return true
}

func newAddition(seed generators.Seed, f generators.Field) addition {
	a := addition{random: seed.Rand("delivery.evolve." + f.Name)}
	if f.Kind == generators.String {
		for i := range 64 {
			a.words = append(a.words, fmt.Sprintf("%s-%02d", f.Name, i))
		}
	}
	return a
}

// value makes the value of a field that was added: null in one of four where
// it may be.
func (a *addition) value(f *generators.Field, truth uint64) generators.Value {
	random := a.random.At(truth)
	if f.Nullable && random&3 == 0 {
		return generators.Value{Null: true}
	}
	switch f.Kind {
	case generators.String:
		return generators.Value{Str: a.words[random>>58]}
	case generators.Bool:
		return generators.Value{Int: int64(random >> 63)}
	case generators.Timestamp: // a millisecond of the years 1970 to 2033
		return generators.Value{Int: int64(generators.Below(random, 2e12)) * 1000}
	default:
		return generators.Value{Int: int64(generators.Below(random, 1e6))}
	}
}

// Fill writes truth record n, made with the first version's schema into src,
// as this version has it into dst, which must be of this version
// ([generators.NewEvent] of its Schema). Nothing is allocated but the strings
// of fields that became strings. The checksum of dst is the encoder's.
func (v *Version) Fill(dst, src *generators.Event, truth uint64) {
	dst.ID = src.ID
	for i := range v.Schema.Fields {
		f, from := &v.Schema.Fields[i], v.from[i]
		if from < 0 {
			dst.Values[i] = v.added[i].value(f, truth)
			continue
		}
		dst.Values[i] = src.Values[from]
		if was := v.First.Fields[from].Kind; was != f.Kind {
			dst.Values[i] = convert(dst.Values[i], was, f.Kind)
		}
	}
}

// convert makes a value of another kind out of one that is not null.
func convert(v generators.Value, from, to generators.Kind) generators.Value {
	switch {
	case to == generators.String && from == generators.Timestamp:
		return generators.Value{Str: time.UnixMicro(v.Int).UTC().Format("2006-01-02T15:04:05.000Z")}
	case to == generators.String && from == generators.Bool:
		return generators.Value{Str: strconv.FormatBool(v.Int != 0)}
	case to == generators.String:
		return generators.Value{Str: strconv.FormatInt(v.Int, 10)}
	case from == generators.Timestamp:
		ms := v.Int / 1000
		if v.Int%1000 < 0 {
			ms--
		}
		return generators.Value{Int: ms}
	case from == generators.String: // FNV-1a, so that it stays telling
		h := uint64(14695981039346656037)
		for i := range len(v.Str) {
			h = (h ^ uint64(v.Str[i])) * 1099511628211
		}
		return generators.Value{Int: int64(h >> 1)}
	default: // the number stays
		return v
	}
}
