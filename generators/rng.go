package generators

import "math/bits"

// Rand draws random numbers for one purpose, mostly for one field. It is a
// pure function of seed, purpose, entity and counter: it has no state, so any
// worker can draw any number in any order, and adding a field leaves the
// numbers of all others as they were. Related seeds (7 and 8) give unrelated
// numbers. It is fast and well mixed, and nothing for secrets.
type Rand struct{ a, b uint64 }

// Rand returns the numbers of a purpose, for example "payments.amount".
func (s Seed) Rand(purpose string) Rand {
	h := uint64(14695981039346656037) // FNV-1a, 64 bit
	for i := range len(purpose) {
		h = (h ^ uint64(purpose[i])) * 1099511628211
	}
	return newRand(mix(uint64(s)+golden) ^ h)
}

// Entity narrows the purpose to one entity, for example to one account.
func (r Rand) Entity(id uint64) Rand { return newRand(r.At(id) ^ r.b) }

// newRand spreads a hash over both keys; b is a factor and so odd.
func newRand(h uint64) Rand { return Rand{mix(h + golden), mix(h-golden) | 1} }

// At returns number n: 64 random bits.
func (r Rand) At(n uint64) uint64 { return fold(mix(n+golden)^r.a, r.b) }

// Below maps 64 random bits to 0 <= result < n without a division. The bias is
// below n/2^64.
func Below(random, n uint64) uint64 {
	hi, _ := bits.Mul64(random, n)
	return hi
}

// Again returns further random bits from some that were used, for a draw that is
// only made because of the first. Two draws that are always made have a purpose
// each.
func Again(random uint64) uint64 { return mix(random) }

// Chance is true for the given share of all random values, in parts per
// million.
func Chance(random uint64, ppm uint64) bool { return Below(random, 1_000_000) < ppm }

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio, odd

// mix is the finaliser of splitmix64 (Steele, Lea and Flood 2014, variant 13 of
// Stafford): a permutation in which every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fold multiplies to 128 bits and folds the halves together.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
