package calendar

import (
	"math"
	"math/bits"
)

// law holds the table of the logarithm with which exponential gaps are drawn.
// It is made with the four basic operations only, so that it is the same on
// every processor; a draw is integer arithmetic.
type law struct {
	ln [lnSteps + 1]int64 // ln(1 + i/lnSteps), Q32
}

const (
	lnSteps = 1 << lnBits
	lnBits  = 10
	ln2     = 2977044472 // math.Ln2, Q32
)

func newLaw() *law {
	l := new(law)
	for i := range l.ln {
		l.ln[i] = int64(float64(ln(1+float64(i)/lnSteps)*(1<<32)) + 0.5)
	}
	l.ln[lnSteps] = ln2
	return l
}

// exponential maps 32 random bits to a draw from the exponential distribution
// of mean 1, Q32: minus the logarithm of a uniform number of 33 bits that is
// never 0 or 1. The line between two entries of the table is off by at most
// 1.2e-7.
func (l *law) exponential(random uint32) int64 {
	u := uint64(random)<<1 | 1 // of 2^33
	zeros := bits.LeadingZeros64(u)
	u <<= uint(zeros) & 63      // 1 <= u/2^63 < 2
	i := u << 1 >> (64 - lnBits) // the entry, and 32 bits of the place after it
	part := int64(u << (1 + lnBits) >> 32)
	low := l.ln[i&(lnSteps-1)]
	return int64(zeros-30)*ln2 - low - (l.ln[i&(lnSteps-1)+1]-low)*part>>32
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
	return u * math.Sqrt(lessExp(-2*ln(s)/(2*m-1))/s), true
}

// lessExp is 1 - e^-x from its series, for 0 <= x < 1.
func lessExp(x float64) float64 {
	sum, term := 0.0, -1.0
	for i := 1.0; i < 20; i++ {
		term = float64(-term * x / i)
		sum += term
		if term < 1e-18 && term > -1e-18 {
			break
		}
	}
	return sum
}

// ln is the natural logarithm of a positive number from the series of the area
// tangent, the same on every processor.
func ln(x float64) float64 {
	fraction, exponent := math.Frexp(x) // takes the bits apart, no arithmetic
	if fraction < math.Sqrt2/2 {
		fraction, exponent = 2*fraction, exponent-1
	}
	z := (fraction - 1) / (fraction + 1)
	square := float64(z * z) // at most 0.0295
	sum := 1.0 / 23
	for n := 21.0; n > 0; n -= 2 {
		sum = float64(sum*square) + 1/n
	}
	return float64(2*z*sum) + float64(float64(exponent)*math.Ln2)
}
