package realism

// power is a discrete power law: sizes of at least least have a share of
// size^-alpha.
type power struct {
	alpha float64
	least uint64
	n     uint64 // sizes that the law was fitted to
}

// fitPower fits the tail by maximum likelihood and chooses its beginning by the
// distance of Kolmogorov and Smirnov (Clauset, Shalizi and Newman 2009), among
// those that leave enough sizes for three standard errors to fit into the band.
func fitPower(h []bin) (best power, ok bool) {
	const most = 40 // beginnings that are tried
	total := uint64(0)
	for _, b := range h {
		total += b.n
	}
	bestDistance := 2.0
	for i := 0; i < len(h) && i < most; i++ {
		f := likeliest(h[i:], total)
		f.least, f.n = h[i].size, total
		if need := 3 * (f.alpha - 1) / bandDegree; float64(total) < need*need || len(h)-i < 3 {
			break
		}
		if d := f.distance(h[i:]); d < bestDistance {
			best, bestDistance, ok = f, d, true
		}
		total -= h[i].n
	}
	return best, ok
}

// likeliest finds the exponent with the highest likelihood, -n ln ζ(α) - α Σ ln x,
// which has one peak.
func likeliest(h []bin, n uint64) power {
	logs := 0.0
	for _, b := range h {
		logs += float64(float64(b.n) * ln(float64(b.size)))
	}
	q := float64(h[0].size)
	cost := func(alpha float64) float64 {
		return float64(float64(n)*ln(hurwitz(alpha, q))) + float64(alpha*logs)
	}
	low, high := 1.01, 8.0
	for range 48 {
		a, b := low+(high-low)/3, high-(high-low)/3
		if cost(a) < cost(b) {
			high = b
		} else {
			low = a
		}
	}
	return power{alpha: (low + high) / 2}
}

// distance is the largest gap between the sizes and the law.
func (f power) distance(h []bin) float64 {
	const exact = 4096 // sizes that are summed one by one
	whole := hurwitz(f.alpha, float64(f.least))
	at, left, seen, worst := f.least, whole, uint64(0), 0.0
	for _, b := range h {
		if b.size-at < exact {
			for ; at < b.size; at++ {
				left -= pow(float64(at), -f.alpha)
			}
		} else {
			at, left = b.size, hurwitz(f.alpha, float64(b.size))
		}
		// The shares of all sizes from b on.
		d := float64(f.n-seen)/float64(f.n) - left/whole
		worst = max(worst, d, -d)
		seen += b.n
	}
	return worst
}
