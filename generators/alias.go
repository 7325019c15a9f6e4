package generators

import "math/bits"

// Alias draws from a discrete distribution in constant time: the alias method
// of Walker and Vose. It is built in integers, so that the same weights give
// the same draws on every processor.
type Alias []column

type column struct{ cut, other uint32 } // below cut (of 2^32) the column's own index, else the other

// NewAlias builds the table. The weights must not all be zero; their sum times
// their number must stay below 2^63.
func NewAlias(weights ...uint64) Alias {
	n, total := uint64(len(weights)), uint64(0)
	left := make([]uint64, n) // what each column still has to give, in units of total/n
	for i, w := range weights {
		left[i], total = w*n, total+w
	}
	var small, large []uint32
	for i, w := range left {
		if w < total {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	table := make(Alias, n)
	for len(small) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		cut, _ := bits.Div64(left[s]>>32, left[s]<<32, total)
		table[s] = column{uint32(cut), l}
		if left[l] -= total - left[s]; left[l] < total {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, l := range large {
		table[l] = column{0, l}
	}
	return table
}

// Pick maps 64 random bits to an index of the weights.
func (a Alias) Pick(random uint64) int {
	i, fraction := bits.Mul64(random, uint64(len(a)))
	c := a[i]
	if uint32(fraction>>32) < c.cut {
		return int(i)
	}
	return int(c.other)
}

// Zipf returns the weights of n ranks under Zipf's law with exponent 1: rank k
// weighs 1/k.
func Zipf(n int) []uint64 {
	w := make([]uint64, n)
	for i := range w {
		w[i] = 1 << 40 / uint64(i+1)
	}
	return w
}
