package generators

import "fmt"

// Index returns the position of the field with that name, or -1. A scenario
// names the partition key by field name.
func (s *Schema) Index(name string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// MaxFields is how many fields a schema may have.
const MaxFields = 256

// Check says what makes the schema unusable for the encoders: the first field
// must be the UUID, the last the checksum, and each name must be a valid Avro
// name (Avro 1.12, "Names") and be there once.
func (s *Schema) Check() error {
	last := len(s.Fields) - 1
	if last < 1 || s.Fields[0].Kind != UUID || s.Fields[last].Kind != Checksum {
		return fmt.Errorf("checking schema %q: the first field must be a UUID and the last a checksum", s.Name)
	}
	if last >= MaxFields {
		return fmt.Errorf("checking schema %q: %d fields are more than %d", s.Name, last+1, MaxFields)
	}
	if !avroName(s.Name) {
		return fmt.Errorf("checking schema %q: the name must be letters, digits and underscores", s.Name)
	}
	for i, f := range s.Fields {
		switch {
		case !avroName(f.Name):
			return fmt.Errorf("checking schema %q: field name %q must be letters, digits and underscores", s.Name, f.Name)
		case s.Index(f.Name) != i:
			return fmt.Errorf("checking schema %q: field %q is there twice", s.Name, f.Name)
		case f.Kind > Checksum:
			return fmt.Errorf("checking schema %q: field %q has unknown kind %d", s.Name, f.Name, f.Kind)
		case (f.Kind == UUID) != (i == 0) || (f.Kind == Checksum) != (i == last):
			return fmt.Errorf("checking schema %q: field %q: only the first may be a UUID and only the last a checksum", s.Name, f.Name)
		case f.Nullable && (i == 0 || i == last):
			return fmt.Errorf("checking schema %q: field %q must not be nullable", s.Name, f.Name)
		}
	}
	return nil
}

// avroName reports whether s is [A-Za-z_][A-Za-z0-9_]*.
func avroName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
