package generators

import "math"

// Exp returns e^x from its series, the same on every processor: math.Exp differs
// between amd64 and arm64.
func Exp(x float64) float64 {
	if x < 0 {
		return 1 / Exp(-x)
	}
	if x > 0.5 {
		h := Exp(x / 2)
		return float64(h * h)
	}
	sum, term := 1.0, 1.0
	for i := 1.0; i < 20; i++ {
		term = float64(term * x / i)
		sum += term
	}
	return sum
}

// Ln is the natural logarithm of a positive normal number from the series of
// the area tangent, the same on every processor.
func Ln(x float64) float64 {
	b := math.Float64bits(x) // taken apart: 1 <= fraction < 2
	exponent := int(b>>52) - 1023
	fraction := math.Float64frombits(b&(1<<52-1) | 1023<<52)
	if fraction > math.Sqrt2 {
		fraction, exponent = fraction/2, exponent+1
	}
	z := (fraction - 1) / (fraction + 1)
	q := float64(z * z) // at most 0.0295
	sum := 1.0 / 23
	sum = float64(sum*q) + 1.0/21
	sum = float64(sum*q) + 1.0/19
	sum = float64(sum*q) + 1.0/17
	sum = float64(sum*q) + 1.0/15
	sum = float64(sum*q) + 1.0/13
	sum = float64(sum*q) + 1.0/11
	sum = float64(sum*q) + 1.0/9
	sum = float64(sum*q) + 1.0/7
	sum = float64(sum*q) + 1.0/5
	sum = float64(sum*q) + 1.0/3
	sum = float64(sum*q) + 1
	return float64(2*z*sum) + float64(float64(exponent)*math.Ln2)
}
