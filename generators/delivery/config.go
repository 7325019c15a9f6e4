package delivery

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Config is what happens on the way. The zero value lets every record pass.
//
// A record that is dropped is nothing else; one that is poisoned is neither
// late nor doubled, and one that is late is not also held by OutOfOrder. So
// the share of late ones, for example, is a share of those that are neither
// dropped nor poisoned.
type Config struct {
	Drop       Often
	Poison     Poisoning
	Late       Delayed // held by a law, as a device without a network is
	Duplicate  Delayed // sent a second time; the delay counts from the first copy, none is the next slot
	OutOfOrder Shuffled
	Evolve     []Evolve
	MaxHeld    int // copies held at once, at most; 0 is DefaultMaxHeld
}

// DefaultMaxHeld bounds the queue of a walker when the configuration does not:
// 40 MiB.
const DefaultMaxHeld = 1 << 20

// heldBytes is what one held copy takes.
const heldBytes = 40

// Delayed is a fault that waits.
type Delayed struct {
	Often
	Delay Law
}

// Shuffled holds a record for 2 to Within slots, so that younger ones pass it.
type Shuffled struct {
	Often
	Within uint64
}

// Poisoning replaces records by poison.
type Poisoning struct {
	Often
	Format  string  // of the stream: see generators/encode
	Classes []Class // each as likely as the others; nil is every class that Rejected allows for the format
}

// String says all of it in one line, always the same for the same settings; it
// stands in the ledger's header.
func (c Config) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if !c.Drop.Never() {
		add("drop=%s", c.Drop)
	}
	if !c.Poison.Never() {
		add("poison=%s format=%s", c.Poison.Often, c.Poison.Format)
		for _, class := range c.Poison.Classes {
			add("class=%s", class)
		}
	}
	if !c.Late.Never() {
		add("late=%s delay=%s", c.Late.Often, c.Late.Delay)
	}
	if !c.Duplicate.Never() {
		add("duplicate=%s delay=%s", c.Duplicate.Often, c.Duplicate.Delay)
	}
	if !c.OutOfOrder.Never() {
		add("out_of_order=%s within=%d", c.OutOfOrder.Often, c.OutOfOrder.Within)
	}
	for _, e := range c.Evolve {
		add("evolve=(%s)", e)
	}
	add("max_held=%d", c.maxHeld())
	return strings.Join(parts, " ")
}

func (c Config) maxHeld() int {
	if c.MaxHeld == 0 {
		return DefaultMaxHeld
	}
	return c.MaxHeld
}

// Check says what makes the configuration impossible for a run of this
// schedule, with the arithmetic.
func (c Config) Check(s Schedule) error {
	slots, run := s.Count(), s.At(s.Count())
	if slots == 0 || run <= 0 || slots > generators.MaxSeq {
		return fail.New(fail.Usage, "give the run a rate and a duration", "checking delivery: %d slots in %v", slots, run)
	}
	if err := c.checkShares(slots, run); err != nil {
		return err
	}
	if err := c.checkPoison(); err != nil {
		return err
	}
	if err := c.checkDelays(run); err != nil {
		return err
	}
	if err := checkEvolve(c.Evolve, slots, run); err != nil {
		return err
	}
	return c.checkHeld(s)
}

func (c Config) checkShares(slots uint64, run time.Duration) error {
	named := []struct {
		name string
		Often
	}{
		{"drop", c.Drop},
		{"poison", c.Poison.Often},
		{"late", c.Late.Often},
		{"duplicate", c.Duplicate.Often},
		{"out_of_order", c.OutOfOrder.Often},
	}
	for _, n := range named {
		switch {
		case n.Share > Whole:
			return fail.New(fail.Usage, oftenHint, "checking %s: %s of the records is more than all", n.name, n.Share)
		case n.Times > 0 && n.Share > 0 || n.Times > 0 && n.Per <= 0:
			return fail.New(fail.Usage, oftenHint, "checking %s: give a share or a rate, and a rate its time", n.name)
		case n.Times > 0 && n.cut(slots, run) == math.MaxUint64:
			return fail.New(fail.Usage, "lower the rate of the fault, or raise that of the stream",
				"checking %s: %s is %.6g in a run of %v, which has %d records",
				n.name, n.Often, float64(n.Times)*run.Seconds()/n.Per.Seconds(), run, slots)
		}
	}
	// What is not sent in the slot in which it was drawn: the next one must be.
	var passed Share
	for _, o := range []Often{c.Drop, c.Late.Often, c.OutOfOrder.Often} {
		passed += shareOf(o.cut(slots, run))
	}
	if passed > 90*Percent {
		return fail.New(fail.Usage, "lower one of the three",
			"checking delivery: drop, late and out_of_order take %s of the records together, more than 90%%", passed)
	}
	return nil
}

func (c Config) checkPoison() error {
	if c.Poison.Never() {
		return nil
	}
	format := c.Poison.Format
	possible := RejectedClasses(format)
	if len(possible) == 0 {
		return fail.New(fail.Usage, "use one of "+strings.Join(poisonFormats(), ", "),
			"checking poison: no poison is known for format %q", format)
	}
	for i, class := range c.Poison.Classes {
		if !Rejected(format, class) {
			return fail.New(fail.Usage, "use some of "+classList(possible),
				"checking poison: %s is not surely rejected by every reader of %s", class, format)
		}
		if slices.Contains(c.Poison.Classes[:i], class) {
			return fail.New(fail.Usage, "name each class once", "checking poison: %s is there twice", class)
		}
	}
	return nil
}

func classList(list []Class) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

func (c Config) checkDelays(run time.Duration) error {
	for _, d := range []struct {
		name string
		Delayed
	}{{"late", c.Late}, {"duplicate", c.Duplicate}} {
		if d.Never() {
			continue
		}
		if err := d.Delay.check(); err != nil {
			return fmt.Errorf("checking %s: %w", d.name, err)
		}
		if d.Delay.From >= run {
			return fail.New(fail.Usage, "make the run longer or the delay shorter",
				"checking %s: a delay of %s in a run of %v: most of them would never be sent", d.name, d.Delay, run)
		}
	}
	if !c.Late.Never() && c.Late.Delay.From == 0 && c.Late.Delay.Kind == Fixed {
		return fail.New(fail.Usage, lawHint, "checking late: a delay of 0 is not late")
	}
	if o := c.OutOfOrder; !o.Never() && (o.Within < 2 || o.Within > 1<<20) {
		return fail.New(fail.Usage, "write within: 100, for example",
			"checking out_of_order: within %d slots: want 2 to %d", o.Within, 1<<20)
	}
	return nil
}

// Queue is what one fault keeps in the walker's queue, on the average and at
// the schedule's highest rate.
type Queue struct {
	Fault Class
	Rate  float64 // true records per second, the highest: the slots', and those that are dropped beside them
	Share Share
	Mean  time.Duration // that it is held
	Held  float64       // the product
}

// Queues returns what each fault is expected to keep in the queue.
func (c Config) Queues(s Schedule) []Queue {
	slots, run := s.Count(), s.At(s.Count())
	rate := peak(s) / (1 - float64(shareOf(c.Drop.cut(slots, run)))/float64(Whole))
	normal := generators.NewLogNormal()
	var out []Queue
	add := func(class Class, o Often, mean time.Duration) {
		if o.Never() {
			return
		}
		share := shareOf(o.cut(slots, run))
		held := rate * float64(share) / float64(Whole) * mean.Seconds()
		out = append(out, Queue{Fault: class, Rate: rate, Share: share, Mean: mean, Held: held})
	}
	of := func(l Law) time.Duration {
		sampler := newSampler(l, normal)
		return sampler.mean(run)
	}
	add(Late, c.Late.Often, of(c.Late.Delay))
	add(Duplicate, c.Duplicate.Often, of(c.Duplicate.Delay))
	add(OutOfOrder, c.OutOfOrder.Often, time.Duration(float64(c.OutOfOrder.Within+2)/2/rate*1e9))
	return out
}

// peak is the highest rate of the schedule, over a 1000th of its slots.
func peak(s Schedule) float64 {
	n := s.Count()
	step := max(1, n/1000)
	var most float64
	for from := uint64(0); from < n; from += step {
		to := min(from+step, n)
		if d := s.At(to) - s.At(from); d > 0 {
			most = max(most, float64(to-from)/d.Seconds())
		}
	}
	return most
}

func (c Config) checkHeld(s Schedule) error {
	bound := c.maxHeld()
	if bound < 1 || bound > 1<<28 {
		return fail.New(fail.Usage, "set max_held between 1 and 268435456", "checking delivery: max_held is %d", bound)
	}
	var sum float64
	var parts []string
	for _, q := range c.Queues(s) {
		sum += q.Held
		parts = append(parts, fmt.Sprintf("%s %.6g/s x %s x %v = %.0f",
			q.Fault, q.Rate, q.Share, q.Mean.Round(time.Millisecond), q.Held))
	}
	// How many are held varies as counts do: six standard deviations of room.
	need := math.Ceil(sum + float64(6*math.Sqrt(sum)))
	if need <= float64(bound) {
		return nil
	}
	return fail.New(fail.Usage,
		fmt.Sprintf("lower the share or the delay, or set max_held to %.0f (%.0f MiB)", need, need*heldBytes/(1<<20)),
		"checking delivery: %s: %.0f records held with room to vary, max_held is %d",
		strings.Join(parts, ", "), need, bound)
}
