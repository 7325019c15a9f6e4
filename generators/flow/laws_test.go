package flow

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func refused(t *testing.T, name string, files []File, text, hint string) {
	t.Helper()
	_, err := Load(files...)
	if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), text) || !strings.Contains(fail.HintOf(err), hint) {
		t.Errorf("%s: %v, hint %q", name, err, fail.HintOf(err))
	}
}

// What is read is written the same again.
func TestDelayText(t *testing.T) {
	for _, text := range []string{
		"1ms", "30s", "45m", "2h", "3d", "400d", "2h..3d", "90s..5m", "lognormal(18h, 0.5)", "lognormal(600ms, 1.5)", "lognormal(400d, 2)",
		"lognormal(1ms, 0.001)", "next payday", "next business day 03:00", "next business day 23:59", "monthly", "monthly on day 1", "monthly on day 28",
	} {
		d, ok := parseDelay(text)
		if !ok || strings.ReplaceAll(d.String(), "90s", "90s") != text {
			t.Errorf("%q is read %v as %q", text, ok, d)
		}
	}
	for _, text := range []string{
		"", "0s", "5", "5 s", "1.5h", "-3s", "401d", "3d..2h", "2h..2h", "2h..", "..2h", "0s..1h", "1us", "9999999999s", "lognormal", "lognormal()",
		"lognormal(18h)", "lognormal(18h, 0)", "lognormal(18h, 2.001)", "lognormal(0s, 1)", "lognormal(18h, 0.5", "lognormal(18h, 0.5) ", "lognormal(18h, 1, 2)",
		"payday", "next business day", "next business day 24:00", "next business day 3:00", "next business day 03:60", "next business day 03-00",
		"monthly on day 0", "monthly on day 29", "monthly on 5", "yearly", "NaN", "1e3s",
	} {
		if d, ok := parseDelay(text); ok {
			t.Errorf("%q is accepted as %q", text, d)
		}
	}
}

func TestAmountAndFeeText(t *testing.T) {
	for _, text := range []string{
		"merchant", "parent", "lognormal(150 EUR, 1.39)", "lognormal(2.50 EUR, 0.5)", "notes(80 EUR, 0.67)", "20%..100% of parent", "50% of parent",
	} {
		if a, ok := parseAmount(text); !ok || a.String() != text {
			t.Errorf("%q is read %v as %q", text, ok, a)
		}
	}
	for _, text := range []string{
		"", "shop", "150", "150 EUR", "lognormal(150, 1)", "lognormal(0 EUR, 1)", "lognormal(600000 EUR, 1)", "lognormal(1.505 EUR, 1)",
		"notes(80 EUR)", "0% of parent", "90%..10% of parent", "20%..100%", "50 of parent", "0.00001% of parent",
	} {
		if a, ok := parseAmount(text); ok {
			t.Errorf("%q is accepted as %q", text, a)
		}
	}
	for _, text := range []string{"1.2%", "0.30 EUR", "1.2% + 0.30 EUR", "0.0001%", "5 EUR"} {
		if f, ok := parseFee(text); !ok || f.String() != text {
			t.Errorf("%q is read %v as %q", text, ok, f)
		}
	}
	for _, text := range []string{"", "0%", "0 EUR", "51%", "101 EUR", "1.2", "0.30 EUR + 1%", "1% + 1%", "0.00001%", "-1%"} {
		if f, ok := parseFee(text); ok {
			t.Errorf("%q is accepted as %q", text, f)
		}
	}
}

// Shares that are 100 % together are All together, however they are cut; each is
// written as it was read.
func TestSharesAddUp(t *testing.T) {
	for _, cuts := range [][]string{
		{"33.3333333%", "33.3333333%", "33.3333334%"},
		{"0.0000001%", "99.9999999%"},
		{"1.6%", "2.4%", "0.03%", "95.97%"},
		{"14.2857142%", "14.2857142%", "14.2857142%", "14.2857142%", "14.2857142%", "14.2857142%", "14.2857148%"},
	} {
		var sum int64
		var all uint64
		for _, text := range cuts {
			n, ok := percent(text)
			if !ok {
				t.Fatal(text)
			}
			part := shareOf(sum+n) - shareOf(sum)
			sum, all = sum+n, all+part
			if share(part) != text {
				t.Errorf("%s is written %s", text, share(part))
			}
		}
		if all != All {
			t.Errorf("%v are %d of %d", cuts, all, uint64(All))
		}
	}
}

// Delays follow their laws: the bounds of the uniform one are met, median and
// spread of the other are those that were asked for.
func TestDelayDraw(t *testing.T) {
	amounts, r := generators.NewLogNormal(), generators.Seed(1).Rand("delay")
	if d, _ := parseDelay("90s"); d.Draw(1<<63, amounts) != 90_000_000 {
		t.Errorf("90s is %d", d.Draw(1<<63, amounts))
	}
	d, _ := parseDelay("2s..8s")
	if low, high := d.Draw(0, amounts), d.Draw(math.MaxUint64, amounts); low != 2_000_000 || high != 8_000_000 {
		t.Errorf("2s..8s is from %d to %d", low, high)
	}
	for _, text := range []string{"next payday", "next business day 03:00", "monthly"} {
		if d, _ := parseDelay(text); !d.Calendar() || d.Draw(1<<63, amounts) != 0 {
			t.Errorf("%s is drawn", text)
		}
	}
	for text, want := range map[string][2]float64{
		"lognormal(600ms, 1.5)": {600e3, 1.5}, "lognormal(18h, 0.5)": {18 * 3600e6, 0.5}, "lognormal(400d, 0.1)": {400 * 86400e6, 0.1},
	} {
		const draws = 1 << 17
		d, ok := parseDelay(text)
		sum, squares, low := 0.0, 0.0, uint64(0)
		for n := range uint64(draws) {
			v := d.Draw(r.At(n), amounts)
			log := math.Log(float64(v) / want[0])
			sum, squares, low = sum+log, squares+log*log, low|uint64(v)
		}
		mean := sum / draws
		sigma := math.Sqrt(squares/draws - mean*mean)
		if !ok || math.Abs(mean) > 6*want[1]/math.Sqrt(draws)+1e-3 || math.Abs(sigma/want[1]-1) > 0.02 || low&1 == 0 {
			t.Errorf("%s: median off by %.4f, sigma %.4f", text, mean, sigma)
		}
	}
	widest, _ := parseDelay("lognormal(400d, 2)")
	if v := widest.Draw(math.MaxUint64, amounts); v <= 0 || v > 1<<60 {
		t.Errorf("the longest delay is %d", v)
	}
	if v := widest.Draw(0, amounts); v <= 0 {
		t.Errorf("the shortest delay is %d", v)
	}
}

// Whoever reads a shipped flow sees where its figures come from: a source, or
// the word guess.
func TestShippedFiguresHaveSources(t *testing.T) {
	files, err := os.ReadDir("flows")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile("flows/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			figure := strings.Contains(line, " p: ") || strings.Contains(line, "lognormal(") || strings.Contains(line, "notes(") ||
				strings.HasPrefix(line, "start:") || strings.HasPrefix(line, "fee:") || strings.HasPrefix(line, "abroad:") ||
				strings.Contains(line, "codes:") && strings.Count(line, ": ") > 2
			sourced := strings.Contains(line, " # ") || strings.HasPrefix(lines[max(0, i-1)], "# ") || strings.Contains(line, "share: 100%") || strings.HasPrefix(line, "start: {when")
			if figure && !sourced {
				t.Errorf("%s:%d: no source: %s", file.Name(), i+1, line)
			}
		}
	}
}
