package encode

import (
	"errors"
	"github.com/lakeproof/lakeproof/generators"
	"hash/crc32"
)

type avroDecoder struct {
	schema *generators.Schema
	crc    *crc32.Table
	framed bool
}

func (d *avroDecoder) Format() string                                   { return Avro }
func (d *avroDecoder) Decode(dst *generators.Event, value []byte) error { return errors.ErrUnsupported }
func (d *avroDecoder) Intact(value []byte) bool                         { return false }
