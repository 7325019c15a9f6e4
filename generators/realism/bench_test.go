package realism

import "testing"

// stored is a stream in memory.
func stored(b bank) []Record {
	var out []Record
	b.each("bench", func(r *Record) { out = append(out, *r) })
	return out
}

// BenchmarkObserve is for one record; 3,000 ns/op would be a million records in
// three seconds.
func BenchmarkObserve(b *testing.B) {
	records := stored(bank{customers: 100_000, merchants: 10_000, records: 300_000, days: 28, fraud: 0.002})
	m, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Observe(&records[i%len(records)])
	}
}

// BenchmarkReport is for a whole report on full reservoirs.
func BenchmarkReport(b *testing.B) {
	m, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	bank{customers: 20_000, merchants: 10_000, records: 300_000, days: 28, fraud: 0.2}.each("bench", m.Observe)
	for b.Loop() {
		m.Report()
	}
}
