package exporters

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/lakeproof/lakeproof/metrics"
)

const formatText = expfmt.TypeTextPlain

// flushAt is how much text is gathered before it is handed on.
const flushAt = 64 << 10

// encode writes the families of a page in a format, without its end (the page
// goes on with the exporter's own metrics).
//
// Text of gauges and counters is written here and not by expfmt, which needs an
// object of some 300 bytes for each of 150,000 series; a test holds the two
// against each other. Histograms and protobuf are expfmt's.
func encode(w io.Writer, m *merged, format expfmt.FormatType) error {
	var buf []byte
	var err error
	for _, b := range m.blocks {
		if b.count() == 0 {
			continue
		}
		if format == expfmt.TypeProtoDelim || b.metric.Kind == metrics.Histogram {
			if _, err = w.Write(buf); err == nil { // what stands before it
				err = encodeFamily(w, b, format)
			}
			if err != nil {
				return err
			}
			buf = buf[:0]
			continue
		}
		buf = appendHeader(buf, b.metric, format)
		for _, p := range b.pieces {
			if buf, err = appendPiece(w, buf, p); err != nil {
				return err
			}
		}
	}
	_, err = w.Write(buf)
	return err
}

// encodeFamily has expfmt write one family.
func encodeFamily(w io.Writer, b *block, format expfmt.FormatType) error {
	enc := expfmt.NewEncoder(w, expfmt.NewFormat(format))
	if err := enc.Encode(b.family()); err != nil {
		return fmt.Errorf("encoding %s: %w", b.metric.Name, err)
	}
	return nil
}

func appendPiece(w io.Writer, buf []byte, p *piece) ([]byte, error) {
	var err error
	prefixes := labelPrefixes(p.Family)
	p.each(func(i int) {
		buf = appendSeries(buf, p.Family, prefixes, i)
		if len(buf) > flushAt && err == nil {
			_, err = w.Write(buf)
			buf = buf[:0]
		}
	})
	return buf, err
}

// appendHeader writes the lines that describe a family.
func appendHeader(buf []byte, m metrics.Metric, format expfmt.FormatType) []byte {
	name, kind := m.Name, string(m.Kind)
	if format == expfmt.TypeOpenMetrics && m.Kind == metrics.Counter {
		base, ok := strings.CutSuffix(name, "_total")
		if ok {
			name = base
		} else {
			kind = "unknown" // as the specification asks for
		}
	}
	buf = append(buf, "# HELP "...)
	buf = append(buf, name...)
	buf = append(buf, ' ')
	buf = appendEscaped(buf, m.Help, format == expfmt.TypeOpenMetrics)
	buf = append(buf, "\n# TYPE "...)
	buf = append(buf, name...)
	buf = append(buf, ' ')
	buf = append(buf, kind...)
	if format == expfmt.TypeOpenMetrics && m.Unit != metrics.None && strings.HasSuffix(name, "_"+m.Unit) {
		buf = append(buf, "\n# UNIT "...)
		buf = append(buf, name...)
		buf = append(buf, ' ')
		buf = append(buf, m.Unit...)
	}
	return append(buf, '\n')
}

// labelPrefixes are the texts before the values: `{constant="x",first="`, `",second="`.
func labelPrefixes(f *Family) []string {
	var b strings.Builder
	var out []string
	sep := "{"
	for _, c := range f.constant {
		b.WriteString(sep + c.Name + `="` + string(appendEscaped(nil, c.Value, true)) + `"`)
		sep = ","
	}
	for _, name := range f.metric.Labels {
		b.WriteString(sep + name + `="`)
		out = append(out, b.String())
		b.Reset()
		sep = `",`
	}
	if len(f.metric.Labels) > 0 {
		return append(out, `"} `)
	}
	if len(f.constant) > 0 {
		return []string{b.String() + "} "}
	}
	return []string{" "}
}

func appendSeries(buf []byte, f *Family, prefixes []string, i int) []byte {
	buf = append(buf, f.metric.Name...)
	for k, v := range f.row(i) {
		buf = append(buf, prefixes[k]...)
		buf = appendEscaped(buf, v, true)
	}
	buf = append(buf, prefixes[len(prefixes)-1]...)
	return append(appendNumber(buf, f.values[i]), '\n')
}

func appendNumber(buf []byte, v float64) []byte {
	const exact = 1 << 53
	if v == math.Trunc(v) && math.Abs(v) < exact {
		return strconv.AppendInt(buf, int64(v), 10)
	}
	return strconv.AppendFloat(buf, v, 'g', -1, 64)
}

// appendEscaped escapes a text: backslash and line feed, in quotes also the
// quotation mark.
func appendEscaped(buf []byte, text string, quotes bool) []byte {
	begin := 0
	for i := range len(text) {
		var by byte
		switch c := text[i]; {
		case c == '\\':
			by = '\\'
		case c == '\n':
			by = 'n'
		case c == '"' && quotes:
			by = '"'
		default:
			continue
		}
		buf = append(buf, text[begin:i]...)
		buf = append(buf, '\\', by)
		begin = i + 1
	}
	return append(buf, text[begin:]...)
}

// family is a block as client_model has it.
func (b *block) family() *dto.MetricFamily {
	out := &dto.MetricFamily{Name: new(b.metric.Name), Help: new(b.metric.Help), Type: kindOf(b.metric.Kind)}
	all := make([]dto.Metric, b.count())
	for _, p := range b.pieces {
		p.each(func(i int) {
			m := &all[len(out.Metric)]
			m.Label = p.pairs(i)
			switch b.metric.Kind {
			case metrics.Histogram:
				m.Histogram = p.hists[i]
			case metrics.Counter:
				m.Counter = &dto.Counter{Value: new(p.values[i])}
			case metrics.Gauge:
				m.Gauge = &dto.Gauge{Value: new(p.values[i])}
			}
			out.Metric = append(out.Metric, m)
		})
	}
	return out
}

func (f *Family) pairs(i int) []*dto.LabelPair {
	out := make([]*dto.LabelPair, 0, len(f.constant)+len(f.metric.Labels))
	for _, c := range f.constant {
		out = append(out, &dto.LabelPair{Name: new(c.Name), Value: new(c.Value)})
	}
	for k, v := range f.row(i) {
		out = append(out, &dto.LabelPair{Name: new(f.metric.Labels[k]), Value: new(v)})
	}
	return out
}

func kindOf(k metrics.Kind) *dto.MetricType {
	switch k {
	case metrics.Counter:
		return dto.MetricType_COUNTER.Enum()
	case metrics.Histogram:
		return dto.MetricType_HISTOGRAM.Enum()
	case metrics.Gauge:
	}
	return dto.MetricType_GAUGE.Enum()
}
