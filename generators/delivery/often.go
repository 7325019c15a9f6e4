package delivery

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Share is a part of all records, in parts of a million million, so that a
// few records a day among millions a second can still be said.
type Share uint64

// Useful shares.
const (
	Whole   Share = 1e12
	Percent Share = Whole / 100
	PPM     Share = Whole / 1e6
)

// String writes the share in percent: "0.1%".
func (s Share) String() string {
	text := fmt.Sprintf("%d.%010d", s/Percent, s%Percent)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "%"
}

// Often says how often something happens: as a share of the records, or as a
// number of times in a stretch of time. Zero is never. A rate becomes a share
// of the whole run: so many times in so long, spread over the records as they
// come; how many it really becomes is drawn, and in the books.
type Often struct {
	Share Share
	Times uint64
	Per   time.Duration
}

// Never reports whether it never happens.
func (o Often) Never() bool { return o.Share == 0 && o.Times == 0 }

// String writes what [ParseOften] reads: "0.1%" or "5/hour".
func (o Often) String() string {
	if o.Times == 0 {
		return o.Share.String()
	}
	for _, u := range units() {
		if o.Per == u.is {
			return strconv.FormatUint(o.Times, 10) + "/" + u.name
		}
	}
	return strconv.FormatUint(o.Times, 10) + "/" + o.Per.String()
}

// MarshalText writes what [ParseOften] reads.
func (o Often) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads like [ParseOften].
func (o *Often) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOften(string(text))
	return err
}

type unit struct {
	name string
	is   time.Duration
}

func units() []unit {
	return []unit{{"second", time.Second}, {"minute", time.Minute}, {"hour", time.Hour}, {"day", 24 * time.Hour}}
}

const oftenHint = `write a share such as 0.1% or 0.001, or a rate such as 5/hour (second, minute, hour, day)`

// ParseOften reads "0.1%", "0.001" or "5/hour".
func ParseOften(text string) (Often, error) {
	if times, per, isRate := strings.Cut(text, "/"); isRate {
		n, err := strconv.ParseUint(strings.TrimSpace(times), 10, 32)
		per = strings.TrimSpace(per)
		for _, u := range units() {
			if err == nil && n > 0 && (per == u.name || per == u.name[:1]) {
				return Often{Times: n, Per: u.is}, nil
			}
		}
		return Often{}, fail.New(fail.Usage, oftenHint, "reading %q: not a rate", text)
	}
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	whole := Whole
	if isPercent {
		whole = Percent
	}
	share, ok := decimal(strings.TrimSpace(number), whole)
	if !ok {
		return Often{}, fail.New(fail.Usage, oftenHint, "reading %q: not a share", text)
	}
	if share > Whole {
		return Often{}, fail.New(fail.Usage, oftenHint, "reading %q: a share is at most 100%%", text)
	}
	return Often{Share: share}, nil
}

// decimal reads a number such as 12.5 in units of which one is whole; digits
// that the units cannot hold are refused.
func decimal(text string, one Share) (Share, bool) {
	before, after, _ := strings.Cut(text, ".")
	if before == "" || len(before) > 4 || len(after) > 12 {
		return 0, false
	}
	n, err := strconv.ParseUint(before, 10, 32)
	if err != nil {
		return 0, false
	}
	total, place := Share(n)*one, one
	for i := range len(after) {
		d := Share(after[i] - '0')
		if d > 9 || place%10 != 0 && d != 0 {
			return 0, false
		}
		place /= 10
		total += d * place
	}
	return total, true
}

// cut returns the number below which 64 random bits mean that it happens, for
// a run of so many slots in such a time.
func (o Often) cut(slots uint64, run time.Duration) uint64 {
	part, of := new(big.Int), new(big.Int)
	if o.Times > 0 {
		part.Mul(part.SetUint64(o.Times), of.SetInt64(int64(run)))
		of.Mul(big.NewInt(int64(o.Per)), new(big.Int).SetUint64(slots))
	} else {
		part.SetUint64(uint64(o.Share))
		of.SetUint64(uint64(Whole))
	}
	if of.Sign() <= 0 || part.Sign() <= 0 {
		return 0
	}
	part.Lsh(part, 64).Quo(part, of)
	if !part.IsUint64() {
		return math.MaxUint64
	}
	return part.Uint64()
}

// shareOf is the inverse of cut, rounded: for sentences, not for decisions.
func shareOf(cut uint64) Share {
	n := new(big.Int).SetUint64(cut)
	n.Mul(n, new(big.Int).SetUint64(uint64(Whole)))
	n.Add(n, new(big.Int).Lsh(big.NewInt(1), 63))
	return Share(n.Rsh(n, 64).Uint64())
}
