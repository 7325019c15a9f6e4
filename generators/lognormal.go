package generators

import "math"

// LogNormal draws from log-normal distributions, the law of amounts of money.
// A draw is integer arithmetic on two small tables, and the tables are made
// with the four basic operations only, so that the same random bits give the
// same amount on every processor: math.Exp differs between amd64 and arm64, and
// so does x*y+z, unless a conversion to float64 stands around the product.
type LogNormal struct {
	quantile [quantiles + 1]int32   // of the standard normal distribution, Q20
	power    [powerSteps + 1]uint64 // 2^(i/powerSteps), Q32
}

// Spread is the sigma of a log-normal distribution: the standard deviation of
// the natural logarithm, kept as a power of two in Q20.
type Spread int64

// Sigma returns the spread for sigma in thousandths (at most 4000): 800 is sigma 0.8.
func Sigma(thousandths int64) Spread { return Spread(thousandths * log2e / 1000) }

const (
	quantiles  = 2048
	log2e      = 1512775 // math.Log2E, Q20
	powerSteps = 1024
	tail       = 4.5 // standard deviations; beyond lie 7 of a million draws
)

// NewLogNormal builds the tables; it takes about a millisecond.
func NewLogNormal() *LogNormal {
	t := new(LogNormal)
	for i := range t.power {
		t.power[i] = uint64(float64(Exp(math.Ln2*float64(i)/powerSteps)*(1<<32)) + 0.5)
	}
	// Integrate the density from one tail to the other and note where the
	// distribution function passes each quantile.
	const steps = 1 << 15
	const dz = 2 * tail / steps
	density := func(i int) float64 {
		z := float64(float64(i)*dz) - tail
		return float64(Exp(-float64(z*z)/2) * (dz / 2.5066282746310002)) // over the root of 2 pi
	}
	sum, next := 0.0, 1
	t.quantile[0], t.quantile[quantiles] = int32(-tail*(1<<20)), int32(tail*(1<<20))
	for i := 0; i < steps && next < quantiles; i++ {
		area := float64((density(i) + density(i+1)) / 2)
		for ; next < quantiles; next++ {
			rest := float64(float64(next)/quantiles) - sum
			if rest > area {
				break
			}
			z := float64((float64(i)+float64(rest/area))*dz) - tail
			t.quantile[next] = int32(float64(z * (1 << 20)))
		}
		sum += area
	}
	return t
}

// Draw maps 64 random bits to a positive amount with the given median (below
// 2^30) and spread.
func (t *LogNormal) Draw(random uint64, median int64, spread Spread) int64 {
	i := random >> 53                         // 11 bits choose the quantile,
	part := int64(random >> 33 & (1<<20 - 1)) // 20 bits the place after it
	z := int64(t.quantile[i])
	z += (int64(t.quantile[i+1]) - z) * part >> 20

	e := z * int64(spread) // the exponent of 2, Q40
	whole, j, rest := e>>40, uint64(e)>>30&(powerSteps-1), uint64(e)&(1<<30-1)
	m := t.power[j]
	m += (t.power[j+1] - m) * rest >> 30
	amount := uint64(median) * m >> uint(32-whole) // four sigma of four keep whole within -27..26
	return max(1, int64(amount))
}
