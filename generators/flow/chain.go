package flow

// Visits returns how often a run of the flow passes each of its states on
// average, where the given facts always hold: the fundamental matrix of an
// absorbing Markov chain, solved for its first row. A state that waits for
// another flow learns that it succeeded, unless Failed is given.
//
// It is exact but for the rounding of float64; nothing is drawn.
func (f *Flow) Visits(given Facts) []float64 {
	visits, _ := f.solve(given)
	return visits
}

// Ends returns which share of the runs ends in each state, as [Flow.Visits]
// does; the sum is 1.
func (f *Flow) Ends(given Facts) []float64 {
	_, ends := f.solve(given)
	return ends
}

// solve takes the rounds of the limited transition one after the other: a round
// is a chain of its own, which hands over to the next.
func (f *Flow) solve(given Facts) (visits, ends []float64) {
	n, limit := len(f.States), f.times()
	visits, ends = make([]float64, n), make([]float64, n)
	enter := make([]float64, n) // how often a round begins in each state
	enter[0] = 1
	for times := 0; times <= limit; times++ {
		spent := times == limit
		round := f.round(given, spent, enter)
		enter = make([]float64, n)
		for i := range f.States {
			s := &f.States[i]
			shares, left := s.leaves(s.given(given), spent)
			visits[i] += round[i]
			ends[i] += float64(round[i] * (float64(left) / All))
			for j, t := range s.Next {
				if t.Times > 0 && !spent {
					enter[t.To-f.First] += float64(round[i] * (float64(shares[j]) / All))
				}
			}
		}
	}
	return visits, ends
}

// round returns the visits of one round: the x for which x = enter + x·P, by
// elimination.
func (f *Flow) round(given Facts, spent bool, enter []float64) []float64 {
	n := len(f.States)
	rows := make([][]float64, n) // of the transposed I-P, and enter
	for i := range rows {
		rows[i] = make([]float64, n+1)
		rows[i][i], rows[i][n] = 1, enter[i]
	}
	for i := range f.States {
		s := &f.States[i]
		shares, _ := s.leaves(s.given(given), spent)
		for j, t := range s.Next {
			if t.Times == 0 {
				rows[t.To-f.First][i] -= float64(shares[j]) / All
			}
		}
	}
	return eliminate(rows)
}

// eliminate solves a system of linear equations in place. The matrix is that of
// a chain that can end, whose columns are diagonally dominant; where a state
// cannot be reached and cannot end, its row is left out.
func eliminate(rows [][]float64) []float64 {
	n := len(rows)
	for i := range n {
		for k := i + 1; k < n; k++ { // the largest pivot
			if abs(rows[k][i]) > abs(rows[i][i]) {
				rows[i], rows[k] = rows[k], rows[i]
			}
		}
		if abs(rows[i][i]) < 1e-15 {
			continue
		}
		for k := i + 1; k < n; k++ {
			factor := rows[k][i] / rows[i][i]
			if factor == 0 {
				continue
			}
			for j := i; j <= n; j++ {
				rows[k][j] -= float64(factor * rows[i][j])
			}
		}
	}
	return substitute(rows)
}

// substitute solves a system whose matrix is upper triangular.
func substitute(rows [][]float64) []float64 {
	n := len(rows)
	x := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		sum := rows[i][n]
		for j := i + 1; j < n; j++ {
			sum -= float64(rows[i][j] * x[j])
		}
		if abs(rows[i][i]) >= 1e-15 {
			x[i] = sum / rows[i][i]
		}
	}
	return x
}

func abs(x float64) float64 { return max(x, -x) }

// checkLength refuses a flow whose runs are so long on average that they do not
// end in practice, where nothing or one fact always holds.
func (p *parser) checkLength(f *Flow) {
	asks := f.asks()
	for fact := Facts(0); ; {
		sum := 0.0
		for _, v := range f.Visits(fact) {
			sum += v
		}
		if !(sum <= MaxLength) {
			when := ""
			if fact != 0 {
				when = " while " + fact.String()
			}
			p.refuse(f.line, "let more of those who are in a circle leave it",
				"a run passes %.0f states on average%s, more than %d", sum, when, MaxLength)
		}
		if asks == 0 {
			return
		}
		fact = asks & -asks
		asks &^= fact
	}
}
