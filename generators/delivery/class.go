package delivery

import (
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Class says what kind of send or of fault something is.
type Class uint8

// The classes. Those from Truncated on are poison: bytes that no reader of the
// format should take for a record.
const (
	OnTime     Class = iota // no fault
	Late                    // held by the law of late records
	OutOfOrder              // held for a few slots
	Duplicate               // the second copy of a record
	Dropped                 // never sent
	Evolved                 // the first record of a new version of the schema

	Truncated        // the end is missing
	WrongType        // a value is of another type
	MissingField     // a required field is not there
	InvalidUTF8      // bytes that are not text
	Empty            // no bytes
	Tombstone        // no value at all: Kafka's null
	WrongMagic       // a byte in front that does not belong there
	UnknownSchemaID  // written with a schema that no registry knows
	Oversized        // a value of 64 KiB where some bytes are usual
	OutOfRange       // a number that its type cannot hold
	InvalidTimestamp // a day that no calendar has
	NotFormat        // something else altogether: a proxy's error page

	classes // how many there are
)

const (
	firstPoison = Truncated
	// Poisons is how many classes of poison there are.
	Poisons = int(classes - firstPoison)
)

const classNames = "on_time late out_of_order duplicate dropped evolved " +
	"truncated wrong_type missing_field invalid_utf8 empty tombstone wrong_magic unknown_schema_id " +
	"oversized out_of_range invalid_timestamp not_format"

// String returns the name of the class, for example "out_of_order".
func (c Class) String() string {
	if c >= classes {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	names := classNames
	for range c {
		_, names, _ = strings.Cut(names, " ")
	}
	name, _, _ := strings.Cut(names, " ")
	return name
}

// Poison reports whether the class is one of the twelve poisons.
func (c Class) Poison() bool { return c >= firstPoison && c < classes }

// ParseClass reads the name of a class.
func ParseClass(name string) (Class, error) {
	for c := range classes {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, fail.New(fail.Usage, "use one of "+strings.ReplaceAll(classNames, " ", ", "),
		"reading class %q: no such class", name)
}

// AllPoisons returns the twelve classes of poison.
func AllPoisons() []Class {
	out := make([]Class, 0, Poisons)
	for c := firstPoison; c < classes; c++ {
		out = append(out, c)
	}
	return out
}
