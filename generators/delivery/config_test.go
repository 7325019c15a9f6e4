package delivery_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// TestConfigRefuses gives each impossible plan: it is a usage error with a
// hint, and says why.
func TestConfigRefuses(t *testing.T) {
	schedule := Even{PerSecond: 50_000, Slots: 50_000 * 600} // ten minutes
	late := func(share Share, l Law) Config { return Config{Late: Delayed{Often{Share: share}, l}} }
	add := []generators.Field{{Name: "x", Kind: generators.Long, Nullable: true}}
	for name, test := range map[string]struct {
		c    Config
		want string
	}{
		"more than all":      {Config{Drop: Often{Share: Whole + 1}}, "more than all"},
		"share and rate":     {Config{Drop: Often{Share: 1, Times: 1, Per: time.Hour}}, "a share or a rate"},
		"rate without time":  {Config{Drop: Often{Times: 1}}, "its time"},
		"rate above stream":  {Config{Drop: Often{Times: 60_000, Per: time.Second}}, "3.6e+07 in a run of 10m0s, which has 30000000 records"},
		"nothing passes":     {Config{Drop: Often{Share: 60 * Percent}, OutOfOrder: Shuffled{Often{Share: 40 * Percent}, 9}}, "100% of the records together"},
		"no format":          {Config{Poison: Poisoning{Often: Often{Share: PPM}}}, `format ""`},
		"class not rejected": {Config{Poison: Poisoning{Often{Share: PPM}, encode.Avro, []Class{InvalidUTF8}}}, "not surely rejected"},
		"no poison":          {Config{Poison: Poisoning{Often{Share: PPM}, encode.JSON, []Class{Late}}}, "not surely rejected"},
		"class twice":        {Config{Poison: Poisoning{Often{Share: PPM}, encode.JSON, []Class{Empty, Empty}}}, "twice"},
		"no delay":           {late(PPM, Law{}), "not late"},
		"too long":           {late(PPM, Law{Kind: Fixed, From: time.Hour}), "in a run of 10m0s"},
		"never ends":         {late(PPM, Law{Kind: Fixed, From: 8 * 24 * time.Hour}), "from 0 to 168h"},
		"uniform":            {late(PPM, Law{Kind: Uniform, From: time.Second, To: time.Second}), "above the first"},
		"sigma":              {late(PPM, Law{Kind: LogNormal, From: time.Second, Sigma: 5000}), "sigma"},
		"no sigma":           {late(PPM, Law{Kind: LogNormal, From: time.Second}), "sigma"},
		"median":             {late(PPM, Law{Kind: LogNormal, Sigma: 100}), "median"},
		"cap":                {late(PPM, Law{Kind: Fixed, From: time.Second, Cap: time.Millisecond}), "cap"},
		"law":                {late(PPM, Law{Kind: 9}), "no such law"},
		"within":             {Config{OutOfOrder: Shuffled{Often{Share: PPM}, 1}}, "want 2 to"},
		"queue":              {late(10*Percent, Law{Kind: Fixed, From: 5 * time.Minute}), "late 50000/s x 10% x 5m0s = 1500000: 1507349 records held with room to vary, max_held is 1048576"},
		"bound":              {Config{MaxHeld: -1}, "max_held is -1"},
		"evolve when":        {Config{Evolve: []Evolve{{Add: add}}}, "said once"},
		"evolve twice":       {Config{Evolve: []Evolve{{Event: 1, Slot: 2, Add: add}}}, "said once"},
		"evolve late":        {Config{Evolve: []Evolve{{After: time.Hour, Add: add}}}, "beyond the run"},
		"evolve nothing":     {Config{Evolve: []Evolve{{Event: 1}}}, "nothing changes"},
		"evolve much":        {Config{Evolve: make([]Evolve, 255)}, "255 changes"},
	} {
		_, err := New(1, 0, schedule, test.c)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
			continue
		}
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: code %d, hint %q", name, fail.CodeOf(err), fail.HintOf(err))
		}
	}
	if _, err := New(1, 0, Even{PerSecond: 5}, Config{}); err == nil {
		t.Error("a run without slots: no error")
	}
}

func TestConfigSaysAllOfItself(t *testing.T) {
	c := modelConfig()
	c.Poison.Classes = []Class{Empty, NotFormat}
	want := "drop=2% poison=3% format=json class=empty class=not_format late=10% delay=lognormal(5s,1.5,cap=10m0s) " +
		"duplicate=5% delay=uniform(0s,30s) out_of_order=4% within=20 " +
		"evolve=(event=700 add=wallet_id:string? compatible) evolve=(slot=1000 remove=status) max_held=1048576"
	if got := c.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestParseOften(t *testing.T) {
	for text, want := range map[string]Often{
		"1%":            {Share: Percent},
		"0.1%":          {Share: Percent / 10},
		" 100 %":        {Share: Whole},
		"0.001":         {Share: Whole / 1000},
		"1":             {Share: Whole},
		"0":             {},
		"0.0000000001%": {Share: 1},
		"5/hour":        {Times: 5, Per: time.Hour},
		"2 / d":         {Times: 2, Per: 24 * time.Hour},
		"7/s":           {Times: 7, Per: time.Second},
	} {
		got, err := ParseOften(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
		if again, err := ParseOften(got.String()); err != nil || again != got {
			t.Errorf("%q: written as %q, read as %+v (%v)", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "%", "-1%", "101%", "1.1", "0.00000000001%", "5/week", "0/hour", "/hour", "1e3", "1..2", "99999%", ".5", "5/", "NaN", "１%",
	} {
		if got, err := ParseOften(text); err == nil || fail.HintOf(err) == "" {
			t.Errorf("%q is read as %+v (%v)", text, got, err)
		}
	}
}

func TestParseLaw(t *testing.T) {
	for text, want := range map[string]Law{
		"30s":                      {Kind: Fixed, From: 30 * time.Second},
		"fixed(1m)":                {Kind: Fixed, From: time.Minute},
		"uniform(1s, 2m)":          {Kind: Uniform, From: time.Second, To: 2 * time.Minute},
		"lognormal(30s,2)":         {Kind: LogNormal, From: 30 * time.Second, Sigma: 2000},
		"lognormal(30s,0.5)":       {Kind: LogNormal, From: 30 * time.Second, Sigma: 500},
		"lognormal(3s,2, cap=1h )": {Kind: LogNormal, From: 3 * time.Second, Sigma: 2000, Cap: time.Hour},
	} {
		got, err := ParseLaw(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
		var again Law
		written, _ := got.MarshalText()
		if err := again.UnmarshalText(written); err != nil || again != got {
			t.Errorf("%q: written as %q, read as %+v (%v)", text, written, again, err)
		}
	}
	for _, text := range []string{
		"", "soon", "fixed()", "fixed(1s", "uniform(1s)", "uniform(2s,1s)", "lognormal(30s)", "lognormal(30s,-1)",
		"lognormal(30s,9)", "lognormal(30s,0.0001)", "normal(1s,2)", "1s)", "-1s", "fixed(1s,cap=0s)", "fixed(1s,cap=x)", "200h",
	} {
		if got, err := ParseLaw(text); err == nil || fail.HintOf(err) == "" {
			t.Errorf("%q is read as %+v (%v)", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"1%", "5/hour", "0.25", "lognormal(30s,2,cap=1h)", "uniform(1s,2m)", "30s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if o, err := ParseOften(text); err == nil {
			if again, err := ParseOften(o.String()); err != nil || again != o {
				t.Errorf("%q: %+v is written as %q, read as %+v", text, o, o, again)
			}
		}
		if l, err := ParseLaw(text); err == nil {
			if again, err := ParseLaw(l.String()); err != nil || again != l {
				t.Errorf("%q: %+v is written as %q, read as %+v", text, l, l, again)
			}
		}
	})
}

func TestClassNames(t *testing.T) {
	names := map[string]bool{}
	for c := OnTime; c <= NotFormat; c++ {
		got, err := ParseClass(c.String())
		if err != nil || got != c || names[c.String()] {
			t.Errorf("class %d is %q, read as %d (%v)", c, c, got, err)
		}
		names[c.String()] = true
		if c.Poison() != (c >= Truncated) {
			t.Errorf("%s: poison %v", c, c.Poison())
		}
	}
	if _, err := ParseClass("lost"); err == nil || (NotFormat + 1).Poison() || (NotFormat+1).String() != "class(18)" {
		t.Error("there are more classes")
	}
	if len(AllPoisons()) != 12 || Poisons != 12 {
		t.Errorf("%d poisons", len(AllPoisons()))
	}
}

// TestDelaysFollowTheirLaw measures the lateness of a long walk of one law.
func TestDelaysFollowTheirLaw(t *testing.T) {
	for _, text := range []string{"fixed(20ms)", "uniform(1s,3s)", "lognormal(2s,1)", "lognormal(1s,2,cap=5s)", "lognormal(30m,0.2)"} {
		law, err := ParseLaw(text)
		if err != nil {
			t.Fatal(err)
		}
		p := mustPlan(t, 2, Even{PerSecond: 20, Slots: 200_000}, Config{Late: Delayed{Often{Share: 10 * Percent}, law}})
		_, faults := walk(p.NewWalker())
		var delays []time.Duration
		for _, f := range faults {
			delays = append(delays, f.Due-f.EventTime)
		}
		slices.Sort(delays)
		median := delays[len(delays)/2]
		want := map[LawKind]time.Duration{Fixed: law.From, Uniform: (law.From + law.To) / 2, LogNormal: law.From}[law.Kind]
		if math.Abs(float64(median-want)) > 0.05*float64(want) {
			t.Errorf("%s: median %v", text, median)
		}
		low, high := delays[0], delays[len(delays)-1]
		switch {
		case law.Kind == Fixed && (low != law.From || high != law.From),
			law.Kind == Uniform && (low < law.From || high > law.To),
			law.Cap > 0 && high != law.Cap:
			t.Errorf("%s: from %v to %v", text, low, high)
		case law.Kind == LogNormal && law.Cap == 0:
			// One standard deviation above the median is at 84.13 %.
			got := float64(delays[len(delays)*8413/10000]) / float64(median)
			if want := math.Exp(float64(law.Sigma) / 1000); math.Abs(got/want-1) > 0.05 {
				t.Errorf("%s: sigma is off: %.3f, want %.3f", text, got, want)
			}
		}
	}
}
