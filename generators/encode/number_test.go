package encode

import (
	"sync"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
)

// Days that are remembered are written like any others, whatever was asked for
// before them, and by whom.
func TestDatesAreRemembered(t *testing.T) {
	const day, most = 86_400_000_000, 253_402_300_799_999_999
	var d dates
	random := generators.Seed(7).Rand("encode.dates")
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(100_000) {
				micros := int64(random.Entity(worker).At(i)) % most // also before the epoch
				if i%2 == 0 {
					micros = 1_767_225_600_000_000 + int64(i/8)*day/3 - int64(worker)*day
				}
				var got, want [timeLen]byte
				d.putTime(&got, micros)
				if putTime(&want, micros); got != want {
					t.Errorf("%d is %s, want %s", micros, got[:], want[:])
					return
				}
			}
		})
	}
	wg.Wait()
	for _, micros := range []int64{-1 << 63, -62_167_219_200_000_000, 0, most, 1<<63 - 1} {
		var got, want [timeLen]byte
		d.putTime(&got, micros)
		if putTime(&want, micros); got != want {
			t.Errorf("%d is %s, want %s", micros, got[:], want[:])
		}
	}
}
