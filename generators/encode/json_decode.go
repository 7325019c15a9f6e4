package encode

import (
	"errors"
	"github.com/lakeproof/lakeproof/generators"
)

type jsonDecoder struct{ schema *generators.Schema }

func newJSONDecoder(s *generators.Schema) *jsonDecoder                  { return &jsonDecoder{s} }
func (d *jsonDecoder) Format() string                                   { return JSON }
func (d *jsonDecoder) Decode(dst *generators.Event, value []byte) error { return errors.ErrUnsupported }
func (d *jsonDecoder) Intact(value []byte) bool                         { return false }
