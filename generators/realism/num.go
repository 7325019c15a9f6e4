package realism

import (
	"math"
	"math/bits"
)

// The functions of this file are made of the four operations, with a rounding
// after each product, so that a report is the same on every processor: those of
// package math differ between amd64 and arm64 in the last bit.

const (
	ln2  = 0.693147180559945309417232121458
	ln10 = 2.302585092994045684017991454684
)

// ln is the natural logarithm of a positive number.
func ln(x float64) float64 {
	if !(x > 0) {
		return math.Inf(-1)
	}
	m, e := math.Frexp(x) // exact: 0.5 <= m < 1
	if m < 0.70710678118654752 {
		m, e = 2*m, e-1
	}
	t := (m - 1) / (m + 1)
	t2, term, sum := float64(t*t), t, 0.0
	for i := 1.0; i < 30; i += 2 {
		sum += term / i
		term = float64(term * t2)
	}
	return float64(float64(e)*ln2) + float64(2*sum)
}

// exp is e to the power of x.
func exp(x float64) float64 {
	if x < -745 {
		return 0
	}
	k := math.Floor(x/ln2 + 0.5)
	r := x - float64(k*ln2)
	sum, term := 1.0, 1.0
	for i := 1.0; i < 20; i++ {
		term = float64(term*r) / i
		sum += term
	}
	return math.Ldexp(sum, int(k))
}

// pow is x to the power of a, for positive x.
func pow(x, a float64) float64 { return exp(float64(a * ln(x))) }

// logTable gives logarithms of whole numbers to 2e-7, fast.
type logTable [logSteps + 1]float64

const logSteps = 1024

func newLogTable() *logTable {
	t := new(logTable)
	for i := range t {
		t[i] = ln(1 + float64(i)/logSteps)
	}
	return t
}

// ln is the natural logarithm of a positive whole number.
func (t *logTable) ln(n uint64) float64 {
	width := bits.Len64(n)
	m := n << uint(65-width) // without the leading one
	i := m >> 54
	part := float64(m<<10>>32) / (1 << 32)
	base := t[i]
	return float64(float64(width-1)*ln2) + base + float64(part*(t[i+1]-base))
}

// hurwitz is the sum of (k+q)^-s over all k from 0, for s above 1 and q of at
// least 1, by Euler and Maclaurin.
func hurwitz(s, q float64) float64 {
	const direct = 12
	sum := 0.0
	for k := range direct {
		sum += pow(q+float64(k), -s)
	}
	x := q + direct
	p := pow(x, -s)
	sum += float64(p*x)/(s-1) + p/2
	sum += float64(s*p) / x / 12
	x3 := float64(float64(x*x) * x)
	third := float64(float64(s*(s+1)) * (s + 2))
	sum -= float64(third*p) / x3 / 720
	fifth := float64(float64(third*(s+3)) * (s + 4))
	return sum + float64(fifth*p)/float64(x3*float64(x*x))/30240
}

// binomial returns the central interval of a binomial variable: less than the
// given share of all outcomes lies below it, and as little above.
func binomial(n uint64, p, share float64) (low, high uint64) {
	if p <= 0 || n == 0 {
		return 0, 0
	}
	if p >= 1 {
		return n, n
	}
	mode := uint64(float64(float64(n+1) * p))
	mode = min(mode, n)
	odds := p / (1 - p)
	// Weights relative to the mode, down and up until they no longer count.
	down := []float64{}
	for w, k := 1.0, mode; k > 0 && w > 1e-18; k-- {
		w = float64(w*float64(k)) / float64(float64(n-k+1)*odds)
		down = append(down, w)
	}
	up := []float64{}
	for w, k := 1.0, mode; k < n && w > 1e-18; k++ {
		w = float64(w*float64(float64(n-k)*odds)) / float64(k+1)
		up = append(up, w)
	}
	total := 1.0
	for _, w := range down {
		total += w
	}
	for _, w := range up {
		total += w
	}
	return mode - inner(down, total*share), mode + inner(up, total*share)
}

// inner returns how many weights remain when the outer ones, together less than
// the allowance, are left away.
func inner(weights []float64, allowance float64) uint64 {
	n := len(weights)
	for sum := 0.0; n > 0; n-- {
		if sum += weights[n-1]; sum >= allowance {
			break
		}
	}
	return uint64(n)
}

// ratio is a/b, and 0 where b is.
func ratio[N ~int | ~uint64 | ~int64 | ~float64](a, b N) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// wide is a sum of many int64 that cannot overflow: 128 bits, two's complement.
type wide struct{ hi, lo uint64 }

func (w *wide) add(n int64) {
	lo, carry := bits.Add64(w.lo, uint64(n), 0)
	w.hi, _ = bits.Add64(w.hi, uint64(n>>63), carry)
	w.lo = lo
}

func (w wide) zero() bool { return w == wide{} }

// float is the sum as a float64, exact up to 2^53.
func (w wide) float() float64 {
	if w.hi>>63 == 1 {
		lo, borrow := bits.Sub64(0, w.lo, 0)
		hi, _ := bits.Sub64(0, w.hi, borrow)
		return -(float64(float64(hi)*(1<<64)) + float64(lo))
	}
	return float64(float64(w.hi)*(1<<64)) + float64(w.lo)
}
