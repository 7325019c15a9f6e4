package calendar

// CurveNames are the names of the curves that come with the program.
func CurveNames() []string { return []string{"bank-transfer", "flat", "mobile-money", "retail"} }

// hours is the curve of a rate: 168 factors, from Monday 00 h on, whose mean
// is 1.
func (r *Rate) hours() [hoursOfWeek]float64 {
	var out [hoursOfWeek]float64
	if len(r.Hours) > 0 {
		for i := range out {
			out[i] = r.Hours[i%len(r.Hours)]
		}
		return normal(out)
	}
	out, _ = Curve(r.Curve)
	return out
}

// normal scales a curve to a mean of 1. The largest weight is taken first, so
// that no sum overflows.
func normal(w [hoursOfWeek]float64) [hoursOfWeek]float64 {
	sum, largest := 0.0, 0.0
	for _, x := range w {
		largest = max(largest, x)
	}
	for _, x := range w {
		sum += x / largest
	}
	for i := range w {
		w[i] = w[i] / largest / sum * hoursOfWeek
	}
	return w
}

// Curve returns a curve by name: a factor for each hour of the week, from
// Monday 00 h on, on the customers' own clocks. The mean is 1.
//
//   - flat: always 1.
//   - mobile-money: the hour of 18 holds 12.9 % of a day, 3.1 times the mean,
//     and those of 04 and 05 next to nothing, as an African operator's
//     aggregates show (PaySim); each day is alike.
//   - bank-transfer: the batch of 08 h holds 25.9 % of a day, then a plateau of
//     3.3 to 5.2 % and a trough of 0.31 % at 04 h (FinBench); on Saturdays and
//     Sundays a quarter of a working day.
//   - retail: cards in shops and on the web: noon and the way home, Friday and
//     Saturday above the rest, a late and quieter Sunday. The figures are ours.
func Curve(name string) ([hoursOfWeek]float64, bool) {
	even := [7]float64{1, 1, 1, 1, 1, 1, 1}
	switch name {
	case "", "flat":
		var flat [24]float64
		for i := range flat {
			flat[i] = 1
		}
		return weekOf(even, flat, flat, flat), true
	case "mobile-money":
		daily := [24]float64{
			4, 2, 1, 1, 0, 0, 1, 5, 20, 45, 60, 68,
			70, 66, 64, 68, 78, 98, 129, 112, 60, 28, 13, 7,
		}
		return weekOf(even, daily, daily, daily), true
	case "bank-transfer":
		daily := [24]float64{
			110, 70, 50, 38, 31, 45, 120, 330, 2590, 520, 510, 500,
			480, 470, 480, 470, 460, 450, 430, 420, 400, 370, 340, 316,
		}
		return weekOf([7]float64{4, 4, 4, 4, 4, 1, 1}, daily, daily, daily), true
	case "retail":
		return weekOf(
			[7]float64{90, 92, 96, 102, 122, 128, 70},
			[24]float64{6, 4, 3, 3, 3, 6, 14, 30, 44, 50, 56, 68, 82, 68, 60, 62, 72, 88, 92, 74, 52, 34, 20, 9},
			[24]float64{11, 7, 4, 3, 3, 4, 8, 18, 38, 60, 80, 90, 88, 80, 76, 74, 72, 70, 64, 54, 42, 30, 17, 7},
			[24]float64{13, 9, 6, 4, 3, 3, 6, 14, 32, 52, 70, 84, 92, 84, 76, 74, 76, 78, 74, 60, 42, 28, 14, 6},
		), true
	}
	return [hoursOfWeek]float64{}, false
}

// weekOf joins the weights of days with those of the hours of a working day, a
// Saturday and a Sunday.
func weekOf(days [7]float64, work, saturday, sunday [24]float64) [hoursOfWeek]float64 {
	var out [hoursOfWeek]float64
	for d, weight := range days {
		hours, sum := work, 0.0
		switch d {
		case 5:
			hours = saturday
		case 6:
			hours = sunday
		}
		for _, h := range hours {
			sum += h
		}
		for h := range hours {
			out[d*24+h] = weight * (hours[h] / sum)
		}
	}
	return normal(out)
}

// HoursOfDay is the share of each hour of the day in an ordinary week of a
// rate, on the customers' own clocks.
func (r *Rate) HoursOfDay() [24]float64 {
	var out [24]float64
	for i, f := range r.hours() {
		out[i%24] += f / hoursOfWeek
	}
	return out
}
