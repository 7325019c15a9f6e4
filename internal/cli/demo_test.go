package cli

import (
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// As many records are sent as were asked for, whatever the rate: the end of
// the last nanosecond is not cut off.
func TestDemoRecords(t *testing.T) {
	for _, want := range []uint64{100_000, 99_999, 123_457, 1_000_003} {
		for _, rate := range []string{"", "7000/s", "11111/s", "33333/s"} {
			plan, _, err := (&demoCmd{Records: want, Rate: rate}).plan()
			if err != nil {
				t.Fatal(err)
			}
			if got := plan.Count(); got != want {
				t.Errorf("--records %d --rate %q sends %d", want, rate, got)
			}
		}
	}
}

func TestDemoRecordsRefuses(t *testing.T) {
	for _, records := range []uint64{1 << 45, 1 << 63} {
		if _, _, err := (&demoCmd{Records: records}).plan(); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("--records %d: %v, hint %q", records, err, fail.HintOf(err))
		}
	}
}
