package calendar

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// utc is a time as microseconds.
func utc(t testing.TB, text string) int64 {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func shape(t testing.TB, r Rate) *Shape {
	t.Helper()
	if r.Mean == 0 {
		r.Mean = 1
	}
	s, err := r.Shape()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func arrivals(t testing.TB, seed uint64, s *Shape, mean float64) *Arrivals {
	t.Helper()
	a, err := NewArrivals(generators.Seed(seed).Rand("calendar.test"), s, mean)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// year of a flat rate.
func flat(t testing.TB) *Shape {
	return shape(t, Rate{Start: utc(t, "2026-01-01 00:00"), End: utc(t, "2027-01-01 00:00")})
}

// dispersion is the index of dispersion (variance over mean) of the counts of
// windows of a width, and its standard error under a Poisson process.
func dispersion(times []int64, start, width int64) (index, bound float64) {
	windows := (times[len(times)-1] - start) / width
	counts := make([]float64, windows)
	for _, at := range times {
		if w := (at - start) / width; w < windows {
			counts[w]++
		}
	}
	mean, square := 0.0, 0.0
	for _, c := range counts {
		mean += c / float64(windows)
	}
	for _, c := range counts {
		square += (c - mean) * (c - mean) / float64(windows-1)
	}
	return square / mean, math.Sqrt(2 / float64(windows-1))
}

func TestCountsDisperseAsPoisson(t *testing.T) {
	s := flat(t)
	const n = 1 << 20
	for _, c := range []struct {
		rate  float64
		width time.Duration
	}{
		{500, 10 * time.Millisecond},
		{500, time.Second},
		{500, 10 * time.Second},
		{50, time.Minute},
		{5, 10 * time.Minute},
		{0.5, time.Hour}, // 600 windows of 1,800
		{0.1, 24 * time.Hour},
	} {
		cursor := arrivals(t, 1, s, c.rate).Cursor()
		times := make([]int64, 0, n)
		for i := range uint64(n) {
			if at := cursor.At(i); at != Never {
				times = append(times, at)
			}
		}
		index, bound := dispersion(times, s.Start(), c.width.Microseconds())
		if math.Abs(index-1) > 4.5*bound {
			t.Errorf("%v/s in windows of %v: index of dispersion %.3f, want 1 +- %.3f", c.rate, c.width, index, 4.5*bound)
		}
		// Negative controls: an even grid, and 128 arrivals to each 128 gaps.
		for i := range times {
			times[i] = s.Start() + int64(float64(i)*1e6/c.rate)
		}
		if index, _ := dispersion(times, s.Start(), c.width.Microseconds()); math.Abs(index-1) <= 4.5*bound {
			t.Errorf("a grid passes as a Poisson process: %.3f", index)
		}
		if c.rate*c.width.Seconds() < 400 {
			continue
		}
		for i := range times {
			u := generators.Seed(1).Rand("grid").At(uint64(i))
			times[i] = s.Start() + int64((float64(i&^127)+128*float64(u)/(1<<63)/2)*1e6/c.rate)
		}
		slices.Sort(times)
		if index, _ := dispersion(times, s.Start(), c.width.Microseconds()); math.Abs(index-1) <= 4.5*bound {
			t.Errorf("blocks of fixed counts pass as a Poisson process: %.3f", index)
		}
	}
}

// TestWideCountsDisperseAsPoisson: so do windows of millions, which depend on
// the upper levels of the tree.
func TestWideCountsDisperseAsPoisson(t *testing.T) {
	s := flat(t)
	a := arrivals(t, 6, s, 500)
	for width, windows := range map[time.Duration]int{time.Hour: 8760, 24 * time.Hour: 365} {
		sum, square, want := 0.0, 0.0, 500*width.Seconds()
		last := uint64(0)
		for i := range windows {
			due := a.Due(s.Start() + int64(i+1)*width.Microseconds() - 1)
			d := float64(due-last) - want
			sum, square, last = sum+d, square+d*d, due
		}
		index, bound := square/float64(windows)/want, 4.5*math.Sqrt(2/float64(windows))
		if math.Abs(index-1) > bound {
			t.Errorf("%v: index of dispersion %.3f, want 1 +- %.3f", width, index, bound)
		}
		if math.Abs(sum) > 4.5*math.Sqrt(want*float64(windows)) {
			t.Errorf("%v: %+.0f of %.0f arrivals", width, sum, want*float64(windows))
		}
	}
}

// ks is the largest distance between the distribution of samples and a law.
func ks(samples []float64, cdf func(float64) float64) float64 {
	slices.Sort(samples)
	worst, n := 0.0, float64(len(samples))
	for i, x := range samples {
		p := cdf(x)
		worst = max(worst, math.Abs(p-float64(i)/n), math.Abs(p-float64(i+1)/n))
	}
	return worst
}

// TestGapsAreExponential: within blocks, over their borders, and over those of
// higher nodes, gaps have the exponential law and neighbours do not correlate.
func TestGapsAreExponential(t *testing.T) {
	s := flat(t)
	const n, rate = 1 << 19, 0.05
	cursor := arrivals(t, 2, s, rate).Cursor()
	gaps := make([]float64, 0, n)
	var border []float64
	previous := s.Start()
	for i := range uint64(n) {
		at := cursor.At(i)
		gap := float64(at-previous) / 1e6 * rate
		gaps = append(gaps, gap)
		if i%blockSize == 0 {
			border = append(border, gap)
		}
		previous = at
	}
	product := 0.0
	for i := 1; i < n; i++ {
		product += (gaps[i] - 1) * (gaps[i-1] - 1) / n
	}
	if math.Abs(product) > 4.5/math.Sqrt(n) {
		t.Errorf("neighbouring gaps correlate by %.4f", product)
	}
	law := func(x float64) float64 { return 1 - math.Exp(-x) }
	for name, sample := range map[string][]float64{"all": gaps, "borders": border} {
		if d, limit := ks(sample, law), 1.95/math.Sqrt(float64(len(sample))); d > limit {
			t.Errorf("%s: KS %.5f, limit %.5f", name, d, limit)
		}
	}
	// Negative control: a tenth of all gaps halved.
	for i := range gaps {
		if i%10 == 0 {
			gaps[i] /= 2
		}
	}
	if d := ks(gaps, law); d < 1.95/math.Sqrt(n) {
		t.Errorf("spoilt gaps pass: KS %.5f", d)
	}
}

// TestExponential: the table gives the exponential law far into both tails.
func TestExponential(t *testing.T) {
	l := newLaw()
	for _, x := range []uint32{0, 1, 2, 1000, 1 << 16, 1<<24 + 12345, 1 << 31, 3 << 30, 1<<32 - 1000, 1<<32 - 1} {
		got := float64(l.exponential(x)) / (1 << 32)
		want := -math.Log((float64(x) + 0.5) / (1 << 32))
		if math.Abs(got-want) > 2e-7 {
			t.Errorf("%d: %.9f, want %.9f", x, got, want)
		}
		if got < 0 {
			t.Errorf("%d: a negative gap", x)
		}
	}
}

// TestBend: mean, variance and fourth moment of the beta law of a node.
func TestBend(t *testing.T) {
	const n = 200_000
	for _, m := range []float64{64, 1 << 12, 1 << 39} {
		r := generators.Seed(5).Rand("bend")
		var count, sum, second, fourth float64
		for i := range uint64(n) {
			if y, ok := bend(r.At(i), m); ok {
				y *= math.Sqrt(2*m + 1) // whose variance is 1
				count, sum, second, fourth = count+1, sum+y, second+y*y, fourth+y*y*y*y
			}
		}
		if share := count / n; math.Abs(share-math.Pi/4) > 0.005 {
			t.Errorf("a disc in %.4f of the square", share)
		}
		mean, variance, kurtosis := sum/count, second/count, fourth/second*count/second-6/(2*m+3)*-1
		if math.Abs(mean) > 4.5/math.Sqrt(count) || math.Abs(variance-1) > 4.5*math.Sqrt(2/count) ||
			math.Abs(kurtosis-3) > 4.5*math.Sqrt(24/count) {
			t.Errorf("m %v: mean %.4f, variance %.4f, kurtosis %.4f", m, mean, variance, kurtosis)
		}
	}
	for _, x := range []float64{1e-18, 0.001, 0.3, 0.5, 0.70710678, 0.99, 1, 2.5} {
		if got, want := generators.Ln(x), math.Log(x); math.Abs(got-want) > 4e-16*max(1, math.Abs(want)) {
			t.Errorf("generators.Ln(%v) is %v, want %v", x, got, want)
		}
		if x < 1 {
			if got, want := lessExp(x), -math.Expm1(-x); math.Abs(got-want) > 4e-15*want {
				t.Errorf("1-e^-%v is %v, want %v", x, got, want)
			}
		}
	}
}

// everything is a rate with all that there is.
func everything(t testing.TB, from, to string) Rate {
	return Rate{
		Mean: 100, Start: utc(t, from), End: utc(t, to), Curve: "retail",
		Zones: []Zone{
			{Name: "Europe/Berlin", Weight: 5},
			{Name: "America/New_York", Weight: 3},
			{Name: "Asia/Kolkata", Weight: 2},
			{Name: "Asia/Kuwait", Weight: 1},
			{Name: "Australia/Lord_Howe", Weight: 1},
		},
		Holidays: &Holidays{Sunday: true, Factor: 0.8},
		Paydays:  []Payday{{Day: 25, Factor: 1.4, Days: 4, Workday: true}, {Day: 31, Factor: 1.25, Days: 2}},
		Growth:   0.002,
		Bursts: []Burst{
			{At: "Fri 18:05", Factor: 8, For: 10 * time.Minute},
			{At: "2026-11-27 08:00", Factor: 3, For: 16 * time.Hour, Zone: "Europe/Berlin"},
			{At: "03:00", Factor: 0, For: 90 * time.Second},
		},
	}
}

// TestSeekEqualsIteration: a cursor that runs, one that jumps and a fresh seek
// agree, and Due is the inverse.
func TestSeekEqualsIteration(t *testing.T) {
	s := shape(t, everything(t, "2026-01-01 00:00", "2028-01-01 00:00"))
	r := generators.Seed(9).Rand("jump")
	for _, mean := range []float64{0.0001, 3, 40_000, 1e7} {
		a := arrivals(t, 3, s, mean)
		total := a.Total()
		runner, jumper := a.Cursor(), a.Cursor()
		var last int64
		for n := range uint64(20_000) {
			at := runner.At(n)
			if at < last || at != Never && (at < s.Start() || at >= s.End()) || (at == Never) != (n >= total) {
				t.Fatalf("mean %v: arrival %d of %d at %d after %d", mean, n, total, at, last)
			}
			last = at
			if n%97 == 0 {
				if got := a.At(n); got != at {
					t.Fatalf("mean %v: arrival %d at %d, a seek finds %d", mean, n, at, got)
				}
			}
		}
		for i := range uint64(2_000) {
			n := generators.Below(r.At(i), total+total/8+2)
			at := a.At(n)
			if got := jumper.At(n); got != at {
				t.Fatalf("mean %v: arrival %d at %d, a jump finds %d", mean, n, at, got)
			}
			if next := jumper.At(n + 1); next < at {
				t.Fatalf("mean %v: arrival %d at %d, the next at %d", mean, n, at, next)
			}
			if at == Never {
				continue
			}
			if due := a.Due(at); due <= n || due > 0 && jumper.At(due-1) > at || jumper.At(due) == at {
				t.Fatalf("mean %v: arrival %d at %d, but %d are due", mean, n, at, due)
			}
			if due := a.Due(at - 1); due > n || due > 0 && jumper.At(due-1) >= at {
				t.Fatalf("mean %v: arrival %d at %d, but %d are due before", mean, n, at, due)
			}
		}
		if a.Due(s.Start()-1) != 0 || a.Due(math.MinInt64) != 0 || a.Due(math.MaxInt64) != total || a.Count(s.Start(), s.End()) != total {
			t.Errorf("mean %v: the ends", mean)
		}
		want := s.Expected(s.Start(), s.End()) * mean
		if d := float64(total) - want; math.Abs(d) > 5*math.Sqrt(want)+1e-6*want {
			t.Errorf("mean %v: %d arrivals, expected %.0f", mean, total, want)
		}
	}
}

// TestLongerRunsBeginAlike: a later end changes no arrival before it.
func TestLongerRunsBeginAlike(t *testing.T) {
	short := arrivals(t, 4, shape(t, everything(t, "2026-01-01 00:00", "2026-03-01 00:00")), 10)
	long := arrivals(t, 4, shape(t, everything(t, "2026-01-01 00:00", "2029-01-01 00:00")), 10)
	total := short.Total()
	for n := uint64(0); n < total; n += 997 {
		if a, b := short.At(n), long.At(n); a != b {
			t.Fatalf("arrival %d at %d, in a longer run at %d", n, a, b)
		}
	}
}

// TestArrivalsGolden: these are the microseconds on every machine.
func TestArrivalsGolden(t *testing.T) {
	s := shape(t, everything(t, "2026-01-01 00:00", "2028-01-01 00:00"))
	a := arrivals(t, 42, s, 100)
	sum, cursor, zones := uint64(0), a.Cursor(), s.Zones()
	take := func(n uint64) {
		at := cursor.At(n)
		sum = (sum^uint64(at))*0x9e3779b97f4a7c15 + uint64(zones.Pick(at, n*0x9e3779b97f4a7c15))
	}
	for n := range uint64(100_000) {
		take(n)
	}
	total := a.Total()
	for n := uint64(0); n < total; n += total/10_000 + 1 {
		take(n)
	}
	const want, wantTotal = 0xd0278659f671defc, 15_095_809_261
	if sum != want || total != wantTotal {
		t.Errorf("the sum is %#x of %d arrivals, want %#x of %d", sum, total, uint64(want), uint64(wantTotal))
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	s := shape(t, everything(t, "2026-01-01 00:00", "2028-01-01 00:00"))
	a := arrivals(t, 1, s, 1000)
	cursor, zones, n, sum := a.Cursor(), s.Zones(), uint64(0), int64(0)
	for name, f := range map[string]func(){
		"Cursor.At": func() {
			for range 1000 {
				sum += cursor.At(n)
				n++
			}
		},
		"At":   func() { n += 12345; sum += a.At(n) },
		"Due":  func() { n += 12345; sum += int64(a.Due(s.Start() + int64(n)*1e6)) },
		"Pick": func() { n += 12345; sum += int64(zones.Pick(s.Start()+int64(n)*1e6, n)) },
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

func BenchmarkCursor(b *testing.B) {
	s := shape(b, everything(b, "2026-01-01 00:00", "2028-01-01 00:00"))
	for name, mean := range map[string]float64{"1000000_a_second": 1e6, "100_a_second": 100, "1_a_minute": 1. / 60} {
		a := arrivals(b, 1, s, mean)
		b.Run(name, func(b *testing.B) {
			cursor, n := a.Cursor(), uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				if cursor.At(n) == Never {
					n = 0
				}
				n++
			}
		})
	}
}

func BenchmarkSeek(b *testing.B) {
	a := arrivals(b, 1, shape(b, everything(b, "2026-01-01 00:00", "2028-01-01 00:00")), 1000)
	n := uint64(0)
	for b.Loop() {
		a.At(n >> 32)
		n += 12345678901234567
	}
}

func BenchmarkDue(b *testing.B) {
	s := shape(b, everything(b, "2026-01-01 00:00", "2028-01-01 00:00"))
	a := arrivals(b, 1, s, 1000)
	at := s.Start()
	for b.Loop() {
		a.Due(at)
		at += 12345678
	}
}

func BenchmarkShape(b *testing.B) {
	r := everything(b, "2020-01-01 00:00", "2030-01-01 00:00")
	r.Growth = 0
	for b.Loop() {
		if _, err := r.Shape(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	s := shape(b, everything(b, "2026-01-01 00:00", "2028-01-01 00:00"))
	zones, at, r := s.Zones(), s.Start(), uint64(0)
	for b.Loop() {
		zones.Pick(at, r)
		at += 100
		r += 0x9e3779b97f4a7c15
	}
}
