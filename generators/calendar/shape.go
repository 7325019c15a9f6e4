package calendar

import "slices"

// Shape is a compiled rate: over UTC, relative to the mean of an ordinary week.
// It is a table of pieces in which the rate is constant. How much has happened
// is counted in ticks, 512 for each microsecond of an ordinary week's mean;
// all sums are integers. A shape never changes, and many arrivals may share it.
type Shape struct {
	mean       float64
	start, end int64 // seconds

	// One entry for each piece, and one for the end.
	at  []int64  // beginning, microseconds
	sum []uint64 // ticks before it
	per []uint64 // ticks a second

	zones  []zone
	clocks []offsets // the zones', then those of bursts
	bursts []burst
	curve  [hoursOfWeek]float64
	growth float64
	days   [][]dayOf // for each table of days: one entry a local date, from first on
	first  Date
	law    *law
}

// zone is a compiled zone.
type zone struct {
	name   string
	weight float64 // the sum is 1
	days   int     // index of its table of days
}

// dayOf is what a date is to those who live in one country.
type dayOf struct {
	factor float64
	row    int32 // of the curve: 0 is Monday
}

const (
	hoursOfWeek   = 168
	ticksPerMicro = 512
	ticks         = ticksPerMicro * second // a second at the mean rate
	maxTicks      = 3 << 60
	maxFactor     = 1 << 13 // of the mean, at any moment
)

// Shape compiles a rate. It takes about 2 ms, and 4 ms more for a year of five
// zones; the table is 24 bytes an hour, or a quarter of an hour where some
// zone is not whole hours from UTC.
func (r *Rate) Shape() (*Shape, error) {
	db := openZones()
	if err := r.check(db); err != nil {
		return nil, err
	}
	s := &Shape{
		mean: r.Mean, start: r.Start / second, end: r.End / second,
		curve: r.hours(), growth: r.Growth, law: newLaw(),
	}
	s.first = DateOf(s.start) - 2
	s.addZones(r, db)
	s.addBursts(r, db)
	if err := s.fill(); err != nil {
		return nil, err
	}
	return s, nil
}

// Mean is the mean rate of an ordinary week, events a second.
func (s *Shape) Mean() float64 { return s.mean }

// Start is the first microsecond.
func (s *Shape) Start() int64 { return s.start * second }

// End is the first microsecond after the last.
func (s *Shape) End() int64 { return s.end * second }

// Expected is how many events are expected between two times, of those whose
// ordinary mean is 1 a second; the result depends on rounding beyond the 15th
// digit.
func (s *Shape) Expected(from, to int64) float64 {
	a, b := s.ticksBefore(from), s.ticksBefore(to)
	if b < a {
		return 0
	}
	return float64(b-a) / ticks
}

func (s *Shape) addZones(r *Rate, db *database) {
	zones := r.Zones
	if len(zones) == 0 {
		zones = []Zone{{Name: "UTC", Weight: 1}}
	}
	total := 0.0
	for _, z := range zones {
		total += z.Weight
	}
	var countries []string
	for _, z := range zones {
		keeps := z.Country
		if keeps == "" {
			keeps = country(z.Name)
		}
		table := slices.Index(countries, keeps)
		if table < 0 {
			table = len(countries)
			countries = append(countries, keeps)
			s.days = append(s.days, r.dates(keeps, s.first, DateOf(s.end)+2))
		}
		s.zones = append(s.zones, zone{z.Name, z.Weight / total, table})
		loc, _ := db.load(z.Name)
		s.clocks = append(s.clocks, offsetsOf(loc, s.start, s.end))
	}
}

// rate is the rate of a zone's customers at a time in UTC, without growth.
func (s *Shape) rate(zone int, at int64) float64 {
	local := at + s.clocks[zone].at(at)
	date := DateOf(local)
	d := &s.days[s.zones[zone].days][date-s.first]
	rate := float64(s.curve[int64(d.row)*24+(local-int64(date)*day)/hour] * d.factor)
	for i := range s.bursts {
		b := &s.bursts[i]
		if b.clock < 0 && b.has(local) || b.clock >= 0 && b.has(at+s.clocks[b.clock].at(at)) {
			rate = float64(rate * b.factor)
		}
	}
	return float64(rate * s.zones[zone].weight)
}

// total is the rate of all customers.
func (s *Shape) total(at int64) float64 {
	sum := 0.0
	for z := range s.zones {
		sum += s.rate(z, at)
	}
	if s.growth == 0 {
		return sum
	}
	days := (at - s.start) / day
	part := float64(at-s.start-days*day) / day
	return float64(sum * power(1+s.growth, days) * (1 + float64(s.growth*part)))
}

// power is base to the n, by squares.
func power(base float64, n int64) float64 {
	out := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = float64(out * base)
		}
		base = float64(base * base)
	}
	return out
}

// fill makes the table, day by day.
func (s *Shape) fill() error {
	var edges []int64
	sum := uint64(0)
	for from := s.start; from < s.end; {
		to := min(s.end, from-modulo(from, day)+day)
		edges = s.edges(edges[:0], from, to)
		for i, at := range edges {
			next := to
			if i+1 < len(edges) {
				next = edges[i+1]
			}
			rate := s.total(at)
			if !(rate <= maxFactor) {
				return tooMuch(at)
			}
			per := uint64(float64(rate*ticks) + 0.5)
			s.at, s.sum, s.per = append(s.at, at*second), append(s.sum, sum), append(s.per, per)
			if sum += per * uint64(next-at); sum > maxTicks {
				return tooMuch(at)
			}
		}
		from = to
	}
	s.at, s.sum, s.per = append(s.at, s.end*second), append(s.sum, sum), append(s.per, 0)
	if sum == 0 {
		return nothing()
	}
	return nil
}

// edges appends the times from which the rate may be another, of one day of
// UTC, in order.
func (s *Shape) edges(out []int64, from, to int64) []int64 {
	step := int64(hour)
	for i := range s.clocks {
		o := &s.clocks[i]
		for _, at := range []int64{from, to} {
			switch modulo(o.at(at), hour) {
			case 0:
			case hour / 2:
				step = min(step, hour/2)
			default:
				step = hour / 4
			}
		}
		for _, at := range o.from {
			if from < at && at < to {
				out = append(out, at)
			}
		}
	}
	for at := from; at < to; at += step - modulo(at, step) {
		out = append(out, at)
	}
	out = s.burstEdges(out, from, to)
	slices.Sort(out)
	return slices.Compact(out)
}

// burstEdges appends the times at which a burst begins or ends on a clock that
// it follows.
func (s *Shape) burstEdges(out []int64, from, to int64) []int64 {
	for i := range s.bursts {
		b := &s.bursts[i]
		for c := range s.clocks {
			if b.clock == c || b.clock < 0 && c < len(s.zones) {
				o := &s.clocks[c]
				out = b.edges(out, o.at(from), from, to)
				out = b.edges(out, o.at(to), from, to)
			}
		}
	}
	return out
}

// piece is the index of the piece that holds a time of the shape, in
// microseconds.
func (s *Shape) piece(at int64) int {
	i, found := slices.BinarySearch(s.at, at)
	if !found {
		i--
	}
	return min(max(i, 0), len(s.at)-2)
}

// ticksBefore is how many ticks lie before a time, rounded up: those x whose
// time is earlier.
func (s *Shape) ticksBefore(at int64) uint64 {
	last := len(s.at) - 1
	switch {
	case at <= s.at[0]:
		return 0
	case at >= s.at[last]:
		return s.sum[last]
	}
	i := s.piece(at)
	// per is at most 2^43: whole seconds and the rest are multiplied apart, so
	// that each product fits a word.
	micros := uint64(at - s.at[i])
	whole, rest := micros/second, micros%second
	return s.sum[i] + s.per[i]*whole + (s.per[i]*rest+second-1)/second
}

// pieceOf is the index of the piece that holds a tick below the last.
func (s *Shape) pieceOf(tick uint64) int {
	low, high := 0, len(s.sum)-1
	for high-low > 1 {
		if middle := int(uint(low+high) >> 1); s.sum[middle] <= tick {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// micros is x*1,000,000/per, exactly and rounded down, without a division:
// inverse is 1,000,000/per as a float, which is off by less than one, and the
// remainder (in words that may overflow, as only its low end matters) says
// which way.
func micros(x, per uint64, inverse float64) int64 {
	q := int64(float64(x) * inverse)
	switch rest := int64(x*second - uint64(q)*per); {
	case rest < 0:
		return q - 1
	case rest >= int64(per):
		return q + 1
	}
	return q
}
