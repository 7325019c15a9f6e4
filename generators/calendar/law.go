package calendar

import (
	"math"
	"math/bits"

	"github.com/lakeproof/lakeproof/generators"
)

// law is the table of the logarithm with which exponential gaps are drawn. It
// is made with the four basic operations only, so that it is the same on every
// processor; a draw is integer arithmetic.
type law [lnSteps]struct {
	ln   int64 // ln(1 + i/lnSteps), Q32
	rise int64 // until the next entry
}

const (
	lnSteps = 1 << lnBits
	lnBits  = 10
	ln2     = 2977044472 // math.Ln2, Q32
)

func newLaw() *law {
	l, next := new(law), int64(ln2)
	for i := lnSteps - 1; i >= 0; i-- {
		l[i].ln = int64(float64(generators.Ln(1+float64(float64(i)/lnSteps))*(1<<32)) + 0.5)
		l[i].rise, next = next-l[i].ln, l[i].ln
	}
	return l
}

// exponential maps 32 random bits to a draw from the exponential distribution
// of mean 1, Q32: minus the logarithm of a uniform number of 33 bits that is
// never 0 or 1. The line between two entries of the table is off by at most
// 1.2e-7.
func (l *law) exponential(random uint32) int64 {
	u := uint64(random)<<32 | 1<<31 // of 2^64
	zeros := bits.LeadingZeros64(u)
	u <<= uint(zeros) & 63 // 1 <= u/2^63 < 2
	e := &l[u<<1>>(64-lnBits)]
	return int64(zeros+1)*ln2 - e.ln - e.rise*int64(u<<(1+lnBits)>>32)>>32
}

// bend maps 64 random bits to a point on the line from -1 to 1: twice a draw
// from the beta distribution of (m, m), less one, which is where the middle of
// 2m exponential gaps lies between their ends. It is the polar method of
// Ulrich (1984) without a cosine: a point of the unit disc gives direction and
// radius. Not every point of a square is one of the disc, hence ok.
func bend(random uint64, m float64) (y float64, ok bool) {
	u := (float64(int32(random>>32)) + 0.5) / (1 << 31)
	v := (float64(int32(random)) + 0.5) / (1 << 31)
	s := float64(u*u) + float64(v*v)
	if s >= 1 {
		return 0, false
	}
	return u * math.Sqrt(lessExp(-2*generators.Ln(s)/(2*m-1))/s), true
}

// lessExp is 1 - e^-x from its series, for 0 <= x < 1.
func lessExp(x float64) float64 {
	sum, term := x, x
	for i := 2; term > 1e-17*x && i < 24; i++ {
		term = float64(float64(term*x) / float64(i))
		if i&1 == 0 {
			sum -= term
		} else {
			sum += term
		}
	}
	return sum
}
