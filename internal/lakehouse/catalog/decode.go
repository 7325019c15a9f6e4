package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"
)

// deepest bounds the nesting of what is skipped.
const deepest = 1000

// The JSON of LoadTableResult, as far as it is kept. Everything else is
// skipped token by token and never held in memory.

type jsonSchema struct {
	ID     int         `json:"schema-id"`
	Fields []jsonField `json:"fields"`
}

type jsonField struct {
	ID       int             `json:"id"`
	Name     string          `json:"name"`
	Required bool            `json:"required"`
	Type     json.RawMessage `json:"type"` // a string, or an object for nested types
}

type jsonSpec struct {
	ID     int `json:"spec-id"`
	Fields []struct {
		Name      string `json:"name"`
		Transform string `json:"transform"`
		SourceID  int    `json:"source-id"`
	} `json:"fields"`
}

type jsonSnapshot struct {
	ID        *int64            `json:"snapshot-id"`
	Parent    *int64            `json:"parent-snapshot-id"`
	Sequence  int64             `json:"sequence-number"`
	Timestamp int64             `json:"timestamp-ms"`
	List      string            `json:"manifest-list"`
	Summary   map[string]string `json:"summary"`
}

type jsonLogEntry struct {
	Timestamp int64 `json:"timestamp-ms"`
	ID        int64 `json:"snapshot-id"`
}

// decoder reads one LoadTableResult.
type decoder struct {
	json       *json.Decoder
	table      *Table
	schemas    map[int]jsonSchema
	specs      map[int]jsonSpec
	schemaID   int
	specID     int
	hasContent bool
}

func decodeTable(r io.Reader) (*Table, error) {
	d := &decoder{
		json:    json.NewDecoder(r),
		table:   &Table{Properties: map[string]string{}, Snapshots: map[int64]Snapshot{}},
		schemas: map[int]jsonSchema{},
		specs:   map[int]jsonSpec{},
	}
	err := d.object(func(key string) error {
		switch key {
		case "metadata-location":
			return d.optional(&d.table.MetadataLocation)
		case "metadata":
			d.hasContent = true
			return d.object(d.metadata)
		}
		return d.skip()
	})
	if err != nil {
		return nil, err
	}
	if !d.hasContent || d.table.UUID == "" || d.table.FormatVersion == 0 {
		return nil, errors.New("it holds no table metadata")
	}
	return d.finish()
}

// metadata reads one key of the table metadata (Iceberg specification,
// "Table Metadata Fields").
func (d *decoder) metadata(key string) error {
	t := d.table
	switch key {
	case "format-version":
		return d.optional(&t.FormatVersion)
	case "table-uuid":
		return d.optional(&t.UUID)
	case "location":
		return d.optional(&t.Location)
	case "properties":
		var properties map[string]string
		err := d.json.Decode(&properties)
		maps.Copy(t.Properties, properties)
		return err
	case "current-schema-id":
		return d.optional(&d.schemaID)
	case "default-spec-id":
		return d.optional(&d.specID)
	case "current-snapshot-id":
		return d.optional(&t.CurrentSnapshotID)
	case "schemas":
		return each(d, func(s jsonSchema) error { d.schemas[s.ID] = s; return nil })
	case "partition-specs":
		return each(d, func(s jsonSpec) error { d.specs[s.ID] = s; return nil })
	case "snapshots":
		return each(d, d.snapshot)
	case "snapshot-log":
		return each(d, func(e jsonLogEntry) error {
			t.SnapshotLog = append(t.SnapshotLog, LogEntry{time.UnixMilli(e.Timestamp), e.ID})
			return nil
		})
	}
	return d.skip()
}

func (d *decoder) snapshot(s jsonSnapshot) error {
	if s.ID == nil {
		return errors.New("a snapshot has no snapshot-id")
	}
	d.table.Snapshots[*s.ID] = Snapshot{
		ID:             *s.ID,
		ParentID:       known(s.Parent),
		SequenceNumber: s.Sequence,
		Timestamp:      time.UnixMilli(s.Timestamp),
		ManifestList:   s.List,
		Summary:        s.Summary,
	}
	return nil
}

// known turns -1, which old writers use for "no snapshot", into nil.
func known(id *int64) *int64 {
	if id != nil && *id == -1 {
		return nil
	}
	return id
}

// finish joins what arrived in any order.
func (d *decoder) finish() (*Table, error) {
	t := d.table
	t.CurrentSnapshotID = known(t.CurrentSnapshotID)
	if id := t.CurrentSnapshotID; id != nil {
		if _, ok := t.Snapshots[*id]; !ok {
			return nil, fmt.Errorf("its current snapshot %d is not among its snapshots", *id)
		}
	}
	names := map[int]string{}
	for _, f := range d.schemas[d.schemaID].Fields {
		names[f.ID] = f.Name
		t.Columns = append(t.Columns, Column{ID: f.ID, Name: f.Name, Type: typeName(f.Type), Required: f.Required})
	}
	var terms []string
	for _, f := range d.specs[d.specID].Fields {
		term := names[f.SourceID]
		if f.Transform != "identity" {
			term = f.Transform + "(" + term + ")"
		}
		terms = append(terms, term)
	}
	t.PartitionSpec = strings.Join(terms, ", ")
	return t, nil
}

func typeName(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	var nested struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(raw, &nested) // an unknown type stays ""
	return nested.Type
}

// object calls read for each key of the object that comes next; read must
// consume the key's value.
func (d *decoder) object(read func(key string) error) error {
	if err := d.open('{'); err != nil {
		return err
	}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("a key is expected, not %v", token)
		}
		if err := read(key); err != nil {
			return fmt.Errorf("%s: %w", printable(key), err)
		}
	}
	_, err := d.json.Token()
	return err
}

// each calls keep for each element of the array that comes next; null is an
// empty one.
func each[T any](d *decoder, keep func(T) error) error {
	token, err := d.json.Token()
	if err != nil || token == nil {
		return err
	}
	if token != json.Delim('[') {
		return errors.New("a list is expected")
	}
	for d.json.More() {
		var v T
		if err := d.json.Decode(&v); err != nil {
			return err
		}
		if err := keep(v); err != nil {
			return err
		}
	}
	_, err = d.json.Token()
	return err
}

// optional decodes one small value; null leaves it as it is.
func (d *decoder) optional(v any) error { return d.json.Decode(v) }

func (d *decoder) open(want json.Delim) error {
	token, err := d.json.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%v is expected", want)
	}
	return nil
}

// skip reads over one value of any size.
func (d *decoder) skip() error {
	for depth := 0; ; {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > deepest {
				return errors.New("it is nested too deep")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
