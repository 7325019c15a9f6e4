package input

import (
	"context"
	"hash/maphash"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// MaxLabels is how many labels are kept: some 100 MB.
const MaxLabels = 1 << 22

// Labels is what is known of fraud, by the id of the payment or of the event.
type Labels struct {
	ByPayment bool
	seed      maphash.Seed
	cases     map[uint64]int32 // place in names, of fraud only
	names     []string
	numbers   map[string]int32
}

// ReadLabels reads a file of labels: JSON lines, CSV or Parquet. Each row is
// fraud, unless its label says otherwise. The map names columns as that of
// [Options] does: of payment or id, case and label.
func ReadLabels(ctx context.Context, name string, columns map[string]string) (*Labels, error) {
	l := &Labels{seed: maphash.MakeSeed(), cases: map[uint64]int32{}, numbers: map[string]int32{}}
	c, err := newColumns(columns)
	if err != nil {
		return nil, err
	}
	if _, ok := columns["id"]; ok && columns["payment"] == "" { // it was asked for by event
		delete(c.known, "payment_id")
	}
	rows := 0
	err = open(ctx, name, nil, func(t table) error {
		return walk(ctx, t, &c, func(w *row) error {
			rows++
			return l.add(w, rows == 1)
		})
	})
	return l, err
}

// add takes a row in. The first says what all are joined by.
func (l *Labels) add(w *row, isFirst bool) error {
	if isFirst {
		l.ByPayment = !w.cells[fPayment].missing()
	}
	key := w.cells[fID].text
	if l.ByPayment {
		key = w.cells[fPayment].text
	}
	if key == "" {
		return fail.New(fail.Usage, "name the column: --labels-map payment=COLUMN, or id=COLUMN",
			"the label has no id of a payment or an event")
	}
	if !w.cells[fLabel].missing() {
		isFraud, err := truth(w.cells[fLabel].text)
		if err != nil || !isFraud {
			return err
		}
	}
	if len(l.cases) >= MaxLabels {
		return fail.New(fail.Usage, "give the labels of these records only", "more than %d labels", MaxLabels)
	}
	text := w.cells[fCase].text
	number, ok := l.numbers[text]
	if !ok {
		number = int32(len(l.names))
		text = string([]byte(text))
		l.names, l.numbers[text] = append(l.names, text), number
	}
	l.cases[maphash.String(l.seed, key)] = number
	return nil
}

// Len is how many frauds are known.
func (l *Labels) Len() int { return len(l.cases) }

// of returns what is known of an id.
func (l *Labels) of(key string) (name string, isFraud bool) {
	number, ok := l.cases[maphash.String(l.seed, key)]
	if !ok {
		return "", false
	}
	return l.names[number], true
}
