package market

import (
	"math"

	"github.com/lakeproof/lakeproof/generators"
)

// tables are functions that the standard library computes differently on
// different processors, made with the four operations alone.
type tables struct {
	quantile [quantiles + 1]float64 // of the standard normal distribution
	power    [steps + 1]float64     // 2^(i/steps)
	waiting  [quantiles + 1]float64 // quantiles of the exponential distribution with mean 1
}

const (
	quantiles = 4096
	steps     = 2048
	tail      = 5.0 // standard deviations: how far the density is summed up
	// Where the outermost quantiles end: so that what lies beyond the others has
	// the right mean.
	edge = 4.03
	last = 10.318
)

func newTables() *tables {
	t := new(tables)
	for i := range t.power {
		t.power[i] = generators.Exp(float64(math.Ln2*float64(i)) / steps)
	}
	t.waiting[quantiles] = last
	for i := range quantiles {
		t.waiting[i] = -generators.Ln(1 - float64(float64(i)/quantiles))
	}
	// The density from one tail to the other, summed up: where the sum passes a
	// quantile is interpolated.
	const parts = 1 << 16
	const width = 2 * tail / parts
	density := func(i int) float64 {
		z := float64(float64(i)*width) - tail
		return float64(generators.Exp(-float64(z*z)/2) * (width / 2.5066282746310002)) // over the root of 2 pi
	}
	t.quantile[0], t.quantile[quantiles] = -edge, edge
	sum, next := 0.0, 1
	for i := 0; i < parts && next < quantiles; i++ {
		area := float64((density(i) + density(i+1)) / 2)
		for ; next < quantiles; next++ {
			rest := float64(float64(next)/quantiles) - sum
			if rest > area {
				break
			}
			t.quantile[next] = float64((float64(i)+rest/area)*width) - tail
		}
		sum += area
	}
	return t
}

// normal maps the upper 32 of 64 random bits to a standard normal number.
func (t *tables) normal(random uint64) float64 { return between(&t.quantile, random) }

// exponential maps the upper 32 of 64 random bits to an exponential number with
// mean 1.
func (t *tables) exponential(random uint64) float64 { return between(&t.waiting, random) }

func between(table *[quantiles + 1]float64, random uint64) float64 {
	i := random >> 52
	part := float64(random>>32&(1<<20-1)) / (1 << 20)
	return table[i] + float64((table[i+1]-table[i])*part)
}

// exp2 is 2^x for x between -60 and 60, to seven digits.
func (t *tables) exp2(x float64) float64 {
	x = min(max(x, -60), 60)
	whole := math.Floor(x)
	at := float64((x - whole) * steps)
	i := int(at)
	value := t.power[i]
	if i < steps {
		value += float64((t.power[i+1] - value) * (at - float64(i)))
	}
	if whole < 0 {
		return value / float64(uint64(1)<<uint(-whole))
	}
	return float64(value * float64(uint64(1)<<uint(whole)))
}
