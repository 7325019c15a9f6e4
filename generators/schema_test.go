package generators

import (
	"strings"
	"testing"
)

func TestSchemaCheck(t *testing.T) {
	good := func() *Schema {
		return &Schema{Name: "Row", Fields: []Field{
			{Name: "event_id", Kind: UUID},
			{Name: "amount", Kind: Long, Nullable: true},
			{Name: "checksum", Kind: Checksum},
		}}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Schema){
		"the first field must be a UUID":        func(s *Schema) { s.Fields = s.Fields[1:] },
		"and the last a checksum":               func(s *Schema) { s.Fields = s.Fields[:2] },
		"the name must be letters":              func(s *Schema) { s.Name = "a row" },
		`field name "1st" must be letters`:      func(s *Schema) { s.Fields[1].Name = "1st" },
		`field name "" must be letters`:         func(s *Schema) { s.Fields[1].Name = "" },
		`field "event_id" is there twice`:       func(s *Schema) { s.Fields[1].Name = "event_id" },
		`field "amount" has unknown kind 99`:    func(s *Schema) { s.Fields[1].Kind = 99 },
		`field "amount": only the first may`:    func(s *Schema) { s.Fields[1].Kind = UUID },
		`field "checksum" must not be nullable`: func(s *Schema) { s.Fields[2].Nullable = true },
		"257 fields are more than 256": func(s *Schema) {
			s.Fields = append(make([]Field, MaxFields-2), s.Fields...)
			s.Fields[0] = Field{Name: "id", Kind: UUID}
		},
	} {
		s := good()
		spoil(s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if got := good().Index("amount"); got != 1 {
		t.Errorf("amount is field %d", got)
	}
	if got := good().Index("nothing"); got != -1 {
		t.Errorf("nothing is field %d", got)
	}
}
