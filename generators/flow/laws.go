package flow

import (
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
)

// decimal reads a number of at most so many digits before and after the point,
// as a whole number of the last place.
func decimal(text string, before, after int) (int64, bool) {
	whole, part, point := strings.Cut(text, ".")
	if whole == "" || len(whole) > before || point && part == "" || len(part) > after ||
		strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", after-len(part)), 10, 64)
	return n, err == nil
}

// percent reads "2.5%" as parts of a milliard: 25,000,000.
func percent(text string) (int64, bool) {
	number, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, false
	}
	return decimal(strings.TrimSpace(number), 4, 7)
}

const milliard = 1_000_000_000

// euro reads "2.50 EUR" as cents.
func euro(text string) (int64, bool) {
	number, ok := strings.CutSuffix(text, " EUR")
	if !ok {
		return 0, false
	}
	return decimal(strings.TrimSpace(number), 7, 2)
}

// duration reads "90s", "2h" or "3d" as microseconds.
func duration(text string) (int64, bool) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	n, ok := decimal(digits, 9, 0)
	for _, u := range units() {
		if ok && u.name == text[len(digits):] && n > 0 && n <= maxDelay/u.micros {
			return n * u.micros, true
		}
	}
	return 0, false
}

// call reads "name(first, second)".
func call(text, name string) (first, second string, ok bool) {
	rest, ok := strings.CutPrefix(text, name+"(")
	if !ok {
		return "", "", false
	}
	inner, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return "", "", false
	}
	first, second, ok = strings.Cut(inner, ",")
	return strings.TrimSpace(first), strings.TrimSpace(second), ok
}

// spread reads sigma, above 0 and at most 2, as thousandths.
func spread(text string) (int64, bool) {
	n, ok := decimal(text, 1, 3)
	return n, ok && n > 0 && n <= 2000
}

const delayHint = "write after: 30s, 2h..3d, lognormal(18h, 0.5), next payday, next business day 03:00, monthly " +
	"or monthly on day 5; at most 400d"

// parseDelay reads the law of a delay.
func parseDelay(text string) (Delay, bool) {
	if text == "next payday" {
		return Delay{Law: NextPayday}, true
	}
	if rest, ok := strings.CutPrefix(text, "monthly"); ok {
		return parseMonthly(rest)
	}
	if rest, ok := strings.CutPrefix(text, "next business day "); ok {
		return parseBusinessDay(rest)
	}
	if median, sigma, ok := call(text, "lognormal"); ok {
		a, okA := duration(median)
		s, okS := spread(sigma)
		if !okA || !okS {
			return Delay{}, false
		}
		return newLogNormal(a, s), true
	}
	low, high, between := strings.Cut(text, "..")
	if !between {
		high = low
	}
	a, okA := duration(low)
	b, okB := duration(high)
	return Delay{Law: Uniform, A: a, B: b}, okA && okB && a <= b && (!between || a < b)
}

// parseBusinessDay reads the time of day.
func parseBusinessDay(text string) (Delay, bool) {
	hours, minutes, ok := strings.Cut(text, ":")
	h, okH := decimal(hours, 2, 0)
	m, okM := decimal(minutes, 2, 0)
	ok = ok && okH && okM && h < 24 && m < 60 && len(text) == len("03:00")
	return Delay{Law: NextBusinessDay, A: h*hour + m*minute}, ok
}

// parseMonthly reads what follows "monthly".
func parseMonthly(rest string) (Delay, bool) {
	if rest == "" {
		return Delay{Law: MonthlyDay}, true
	}
	number, ok := strings.CutPrefix(rest, " on day ")
	n, okN := decimal(number, 2, 0)
	return Delay{Law: MonthlyDay, A: n}, ok && okN && n >= 1 && n <= 28
}

const amountHint = "write amount: merchant, parent, lognormal(150 EUR, 1.3), notes(80 EUR, 0.7) or 20%..100% of parent"

// parseAmount reads the law of a flow's amount.
func parseAmount(text string) (Amount, bool) {
	a := Amount{Low: 1_000_000, High: 1_000_000}
	switch text {
	case "merchant":
		a.Law = OfMerchant
		return a, true
	case "parent":
		a.Law = OfParent
		return a, true
	}
	if part, ok := strings.CutSuffix(text, " of parent"); ok {
		low, high, ok := parsePart(part)
		return Amount{Law: OfParent, Low: low, High: high}, ok
	}
	a.Law = AnyAmount
	median, sigma, ok := call(text, "lognormal")
	if !ok {
		a.Law = NotesOfMoney
		median, sigma, ok = call(text, "notes")
	}
	cents, okM := euro(median)
	thousandths, okS := spread(sigma)
	if !ok || !okM || !okS || cents == 0 || cents > 50_000_000 {
		return Amount{}, false
	}
	a.Median, a.Spread = cents, generators.Sigma(thousandths)
	return a, true
}

// parsePart reads "20%..100%" or "50%" as parts of a million. It does not say
// whether they are above a million.
func parsePart(text string) (low, high uint32, ok bool) {
	from, to, between := strings.Cut(text, "..")
	if !between {
		to = from
	}
	a, okA := percent(from)
	b, okB := percent(to)
	if !okA || !okB || a < 1000 || a > b || between && a == b || a%1000 != 0 || b%1000 != 0 {
		return 0, 0, false
	}
	return uint32(a / 1000), uint32(b / 1000), true
}

// parseFee reads "1.2%", "0.30 EUR" or "1.2% + 0.30 EUR".
func parseFee(text string) (Fee, bool) {
	part, fixed, both := strings.Cut(text, " + ")
	if !both && strings.HasSuffix(text, " EUR") {
		part, fixed, both = "0%", text, true
	}
	p, okP := percent(part)
	if !both {
		fixed = "0 EUR"
	}
	cents, okC := euro(fixed)
	f := Fee{Part: uint32(p / 1000), Cents: cents}
	return f, okP && okC && p <= milliard/2 && p%1000 == 0 && cents <= 100_00 && (f.Part > 0 || f.Cents > 0)
}

// String is the fee as a file writes it; empty if there is none.
func (f Fee) String() string {
	var out []string
	if f.Part > 0 {
		out = append(out, ppm(f.Part))
	}
	if f.Cents > 0 {
		out = append(out, cents(f.Cents))
	}
	return strings.Join(out, " + ")
}

// String is the law as a file writes it; empty if there is none.
func (a Amount) String() string {
	switch a.Law {
	case OfMerchant:
		return "merchant"
	case OfParent:
		if a.Low == 1_000_000 {
			return "parent"
		}
		return parts(a.Low, a.High) + " of parent"
	case AnyAmount:
		return "lognormal(" + cents(a.Median) + ", " + sigma(a.Spread) + ")"
	case NotesOfMoney:
		return "notes(" + cents(a.Median) + ", " + sigma(a.Spread) + ")"
	default:
		return ""
	}
}

// parts writes what parsePart reads.
func parts(low, high uint32) string {
	if low == high {
		return ppm(low)
	}
	return ppm(low) + ".." + ppm(high)
}

func ppm(n uint32) string { return strconv.FormatFloat(float64(n)/10_000, 'f', -1, 64) + "%" }

func cents(n int64) string {
	if n%100 == 0 {
		return strconv.FormatInt(n/100, 10) + " EUR"
	}
	return strconv.FormatFloat(float64(n)/100, 'f', 2, 64) + " EUR"
}

// share writes a share of All in percent.
func share(n uint64) string {
	return strconv.FormatFloat(float64(parsedShare(n))/(milliard/100), 'f', -1, 64) + "%"
}

// parsedShare is the parts of a milliard of which n of All were made.
func parsedShare(n uint64) uint64 { return (n*milliard + All/2) / All }

// shareOf makes parts of a milliard parts of All.
func shareOf(n int64) uint64 { return (uint64(n)*All + milliard/2) / milliard }
