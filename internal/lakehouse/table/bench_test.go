package table_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
)

// wideColumns is a payments-like schema: about 300 bytes a row in Parquet,
// nullable as Spark writes it.
func wideSchema() *arrow.Schema {
	fields := []arrow.Field{{Name: "event_id", Type: arrow.BinaryTypes.String, Nullable: true}}
	for _, name := range []string{"account_id", "merchant_id", "card_token", "reference", "device", "trace", "note", "auth_code"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	for _, name := range []string{"currency", "country", "channel", "status", "mcc"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	for _, name := range []string{"amount_minor", "fee_minor", "balance_minor", "crc"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	}
	fields = append(fields,
		arrow.Field{Name: "event_time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
		arrow.Field{Name: "_topic", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "_partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "_offset", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		arrow.Field{Name: "_kafka_ts", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	)
	return arrow.NewSchema(fields, nil)
}

const (
	partitions = 3
	chunkRows  = 100_000
)

// wideFile writes the file once and keeps it in the temporary folder.
func wideFile(tb testing.TB, rows int) string {
	tb.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("lakeproof-bench-v1-%d.parquet", rows))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	out, err := os.Create(path + ".part")
	if err != nil {
		tb.Fatal(err)
	}
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1),
		parquet.WithDictionaryDefault(true), parquet.WithMaxRowGroupLength(400_000), parquet.WithBatchSize(4096))
	sink := bufio.NewWriterSize(out, 1<<20)
	w, err := pqarrow.NewFileWriter(wideSchema(), sink, props, pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for first := 0; first < rows; first += chunkRows {
		record := wideRecord(random, first, min(chunkRows, rows-first))
		if err := w.WriteBuffered(record); err != nil {
			tb.Fatal(err)
		}
		record.Release()
	}
	if err := errors.Join(w.Close(), sink.Flush(), out.Close()); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		tb.Fatal(err)
	}
	return path
}

// wideRecord makes rows as a micro-batch leaves them: the partitions one after
// the other, offsets rising in each.
func wideRecord(random *rand.Rand, first, rows int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, wideSchema())
	defer b.Release()
	share := (rows + partitions - 1) / partitions
	for i := range rows {
		partition := i / share
		offset := first/partitions + i%share
		for c, f := range wideSchema().Fields() {
			switch col := b.Field(c).(type) {
			case *array.StringBuilder:
				switch {
				case f.Name == "_topic":
					col.Append("payments")
				case c < 9:
					col.Append(randomText(random, 12+5*c))
				default:
					col.Append(strconv.Itoa(random.IntN(40)))
				}
			case *array.Int64Builder:
				if f.Name == "_offset" {
					col.Append(int64(offset))
				} else {
					col.Append(random.Int64N(1 << 40))
				}
			case *array.Int32Builder:
				col.Append(int32(partition))
			case *array.TimestampBuilder:
				col.Append(arrow.Timestamp(1_795_000_000_000_000 + int64(first+i)*25 + random.Int64N(1000)))
			}
		}
	}
	return b.NewRecordBatch()
}

func randomText(random *rand.Rand, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

// BenchmarkScanKeys scans _partition and _offset into bitmaps, seen and seen
// twice, one pair a partition. LAKEPROOF_BENCH_ROWS sets the rows (default
// 1,000,000).
func BenchmarkScanKeys(b *testing.B) {
	rows := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("LAKEPROOF_BENCH_ROWS")); err == nil {
		rows = v
	}
	path := wideFile(b, rows)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		b.Fatal(err)
	}
	columns := []catalog.Column{{Name: "_partition"}, {Name: "_offset"}}
	var seen, twice [partitions][]uint64
	for p := range partitions {
		seen[p] = make([]uint64, (rows/partitions+chunkRows)/64)
		twice[p] = make([]uint64, len(seen[p]))
	}
	b.ReportAllocs()
	resetPeak()
	before := peakRSS()
	for b.Loop() {
		for p := range partitions {
			clear(seen[p])
			clear(twice[p])
		}
		err := table.ScanColumns(context.Background(), store, table.File{Path: path, Records: int64(rows)}, columns,
			func(batch *table.Batch) error {
				offsets := batch.Columns[1].Ints
				for i, p := range batch.Columns[0].Ints {
					o := uint64(offsets[i])
					word, bit := o>>6, uint64(1)<<(o&63)
					twice[p][word] |= seen[p][word] & bit
					seen[p][word] |= bit
				}
				return nil
			})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
	b.ReportMetric(100*float64(store.BytesRead())/float64(b.N)/float64(info.Size()), "%bytes")
	b.ReportMetric(float64(store.BytesRead())/float64(b.N)/float64(rows), "B-read/row")
	b.ReportMetric(float64(info.Size())/float64(rows), "B/row")
	b.ReportMetric(float64(before)/(1<<20), "before-MiB") // the test program itself
	b.ReportMetric(float64(peakRSS())/(1<<20), "peak-MiB")
}

// BenchmarkScanIDs scans event_id, as a pipeline without offsets needs it.
func BenchmarkScanIDs(b *testing.B) {
	const rows = 1_000_000
	path := wideFile(b, rows)
	store, err := objectstore.New(config.Storage{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	sum := uint64(0)
	for b.Loop() {
		err := table.ScanColumns(context.Background(), store, table.File{Path: path}, []catalog.Column{{Name: "event_id"}},
			func(batch *table.Batch) error {
				for _, v := range batch.Columns[0].Bytes {
					sum += binary.LittleEndian.Uint64(v)
				}
				return nil
			})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

// peakRSS returns the process's peak resident memory since resetPeak, in bytes.
func peakRSS() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) }
