package delivery

import (
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// LawKind is the shape of a delay law.
type LawKind uint8

// The shapes.
const (
	Fixed     LawKind = iota // always From
	Uniform                  // From to To, both as likely as all between
	LogNormal                // median From, Sigma
)

// Law says how long something is held. The zero law is no delay at all.
type Law struct {
	Kind  LawKind
	From  time.Duration // of Fixed and Uniform; of LogNormal the median
	To    time.Duration // of Uniform
	Sigma int64         // of LogNormal, in thousandths: 2000 is sigma 2
	Cap   time.Duration // no delay is longer; 0 is MaxDelay
}

// MaxDelay is the longest delay that a law may give.
const MaxDelay = 7 * 24 * time.Hour

const lawHint = "write 30s, fixed(30s), uniform(1s,2m) or lognormal(30s,2), and a cap as a last part if you like: " +
	"lognormal(30s,2,cap=1h)"

// String writes what [ParseLaw] reads.
func (l Law) String() string {
	var text string
	switch l.Kind {
	case Uniform:
		text = "uniform(" + l.From.String() + "," + l.To.String()
	case LogNormal:
		text = "lognormal(" + l.From.String() + "," + thousandths(l.Sigma)
	default:
		text = "fixed(" + l.From.String()
	}
	if l.Cap > 0 {
		text += ",cap=" + l.Cap.String()
	}
	return text + ")"
}

func thousandths(n int64) string {
	return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64)
}

// MarshalText writes what [ParseLaw] reads.
func (l Law) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads like [ParseLaw].
func (l *Law) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLaw(string(text))
	return err
}

// ParseLaw reads "30s", "fixed(30s)", "uniform(1s,2m)" or "lognormal(30s,2)",
// each with a cap as a last part if wanted.
func ParseLaw(text string) (Law, error) {
	bad := func(what string) (Law, error) {
		return Law{}, fail.New(fail.Usage, lawHint, "reading delay %q: %s", text, what)
	}
	name, inside, has := strings.Cut(strings.TrimSpace(text), "(")
	if !has {
		name, inside = "fixed", name+")"
	}
	inside, closed := strings.CutSuffix(inside, ")")
	if !closed {
		return bad("no closing parenthesis")
	}
	parts := strings.Split(inside, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	var law Law
	var err error
	if last, isCap := strings.CutPrefix(parts[len(parts)-1], "cap="); isCap {
		if law.Cap, err = time.ParseDuration(last); err != nil || law.Cap <= 0 {
			return bad("the cap is not a time above zero")
		}
		parts = parts[:len(parts)-1]
	}
	kinds := map[string]LawKind{"fixed": Fixed, "uniform": Uniform, "lognormal": LogNormal}
	kind, known := kinds[name]
	want := map[LawKind]int{Fixed: 1, Uniform: 2, LogNormal: 2}[kind]
	if !known || len(parts) != want {
		return bad("not a law of delay")
	}
	law.Kind = kind
	if law.From, err = time.ParseDuration(parts[0]); err != nil {
		return bad("the first part is not a time")
	}
	switch kind {
	case Uniform:
		law.To, err = time.ParseDuration(parts[1])
	case LogNormal:
		var sigma Share
		var ok bool
		if sigma, ok = decimal(parts[1], 1000); !ok {
			return bad("sigma is a number with at most three decimals")
		}
		law.Sigma = int64(sigma)
	default:
	}
	if err != nil {
		return bad("the second part is not a time")
	}
	return law, law.check()
}

// maxMedian keeps the median, in the unit of the draw, below the 2^30 that
// generators.LogNormal takes.
const maxMedian = 1 << 30 * time.Millisecond

func (l Law) check() error {
	bad := func(what string) error {
		return fail.New(fail.Usage, lawHint, "checking delay %s: %s", l, what)
	}
	switch {
	case l.Kind > LogNormal:
		return bad("no such law")
	case l.From < 0 || l.From > MaxDelay || l.To > MaxDelay || l.Cap < 0 || l.Cap > MaxDelay:
		return bad("a delay is from 0 to " + MaxDelay.String())
	case l.Kind == Uniform && l.To <= l.From:
		return bad("the second time must be above the first")
	case l.Kind == LogNormal && !l.drawable():
		return bad("the median is at least 1µs, and sigma above 0 and at most 4")
	case l.Cap > 0 && l.Cap < l.From:
		return bad("the cap is below the law itself")
	}
	return nil
}

// drawable reports whether generators.LogNormal can draw it.
func (l Law) drawable() bool { return l.From >= time.Microsecond && l.Sigma > 0 && l.Sigma <= 4000 }

// sampler draws delays by a law.
type sampler struct {
	kind   LawKind
	from   int64
	span   uint64 // of Uniform, both ends included
	most   int64
	unit   int64 // of LogNormal: nanoseconds of one
	median int64
	spread generators.Spread
	normal *generators.LogNormal
}

func newSampler(l Law, normal *generators.LogNormal) sampler {
	s := sampler{kind: l.Kind, from: int64(l.From), most: int64(MaxDelay), normal: normal}
	if l.Cap > 0 {
		s.most = int64(l.Cap)
	}
	switch l.Kind {
	case Uniform:
		s.span = uint64(l.To-l.From) + 1
	case LogNormal:
		// Microseconds where the median lets them, so that short delays are fine.
		s.unit = int64(time.Microsecond)
		if l.From >= maxMedian/1000 {
			s.unit = int64(time.Millisecond)
		}
		s.median, s.spread = int64(l.From)/s.unit, generators.Sigma(l.Sigma)
	default:
	}
	return s
}

// draw maps 64 random bits to a delay.
func (s *sampler) draw(random uint64) int64 {
	switch s.kind {
	case Uniform:
		return min(s.from+int64(generators.Below(random, s.span)), s.most)
	case LogNormal:
		return min(s.normal.Draw(random, s.median, s.spread), s.most/s.unit) * s.unit
	default:
		return min(s.from, s.most)
	}
}

// mean is the mean of the delays, none of them counted for more than most:
// of evenly spread random bits, so it is the same everywhere.
func (s *sampler) mean(most time.Duration) time.Duration {
	const steps = 1 << 12
	var sum int64
	for i := range uint64(steps) {
		sum += min(s.draw(i<<52|1<<51), int64(most)) / steps
	}
	return time.Duration(sum)
}
