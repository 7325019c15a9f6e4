package realism

// keys watches the identifiers of events: each must be there once, and a
// parent before its children.
type keys struct {
	set                  keySet
	looked, twins        uint64
	children, orphans    uint64
	firstTwin, firstLost string // examples
	missing              uint64 // records without an id
}

func newKeys(limit int) keys { return keys{set: newKeySet(limit)} }

func (k *keys) observe(r *Record) {
	if h := hash(r.Parent); h != 0 && sampled(h, k.set.level) {
		k.children++
		if _, there := k.set.find(h); !there {
			if k.orphans++; k.orphans == 1 {
				k.firstLost = keep(r.ID) + " names " + keep(r.Parent)
			}
		}
	}
	h := hash(r.ID)
	if h == 0 {
		k.missing++
		return
	}
	if !sampled(h, k.set.level) {
		return
	}
	k.looked++
	if k.set.add(h) {
		if k.twins++; k.twins == 1 {
			k.firstTwin = keep(r.ID)
		}
	}
}

// keep copies the beginning of a text that belongs to the caller.
func keep(s string) string {
	const most = 48
	return string([]byte(s[:min(len(s), most)]))
}

// integrity counts the events that name a parent not yet emitted.
func (m *Meter) integrity() Measure {
	out := Measure{
		Name: "integrity_in_time", Title: "Parents come first", Group: groupBooks, High: new(0.0),
		Published: "Nexmark's port: 100 % of its bids name a bidder not yet created", Source: "measured, nexmark issue 30",
		Samples: m.keys.children,
	}
	k := &m.keys
	if k.children == 0 {
		return out.unmeasured("no event names a parent")
	}
	out.score("ReferentialIntegrity", "parent", 1-ratio(k.orphans, k.children), k.children)
	if k.orphans == 0 {
		return out.judge(0, "each of %s parents was there before the event that names it", count(k.children))
	}
	out.detail("first", "%s", k.firstLost)
	return out.judge(float64(k.orphans), "%s of %s events (%s) name a parent that was not emitted before them",
		count(k.orphans), count(k.children), percent(ratio(k.orphans, k.children)))
}

// uniqueness counts the identifiers that are there again.
func (m *Meter) uniqueness() Measure {
	out := Measure{
		Name: "key_uniqueness", Title: "Keys are unique", Group: groupBooks, High: new(0.0),
		Published: "1.0 of the keys of any primary key", Source: "SDMetrics KeyUniqueness", Samples: m.keys.looked,
	}
	k := &m.keys
	if k.looked == 0 {
		return out.unmeasured("no event has an identifier")
	}
	out.score("KeyUniqueness", "id", 1-ratio(k.twins, k.looked), k.looked)
	if k.missing > 0 {
		out.detail("without identifier", "%s records", count(k.missing))
	}
	if k.twins == 0 && k.missing == 0 {
		return out.judge(0, "all %s identifiers are different", count(k.looked))
	}
	if k.twins > 0 {
		out.detail("first", "%s", k.firstTwin)
	}
	return out.judge(float64(k.twins+k.missing), "%s of %s identifiers were there before, %s records have none",
		count(k.twins), count(k.looked), count(k.missing))
}

// validity counts one kind of identifier.
type validity struct {
	all, good uint64
	firstBad  string
}

func (v *validity) observe(by Validator, r *Record) {
	text := by.Of(r)
	if text == "" {
		return
	}
	v.all++
	if by.Valid(text) {
		v.good++
	} else if v.firstBad == "" {
		v.firstBad = keep(text)
	}
}

// identifiers counts what the validators refuse.
func (m *Meter) identifiers() Measure {
	out := Measure{
		Name: "identifier_validity", Title: "Valid identifiers", Group: groupBooks, High: new(0.0),
		Published: "gofakeit 7.18: 90 % of ABA numbers have a wrong check digit", Source: "measured",
	}
	bad := uint64(0)
	for i, v := range m.opt.Validators {
		n := m.valid[i]
		out.Samples += n.all
		bad += n.all - n.good
		text := count(n.good) + " of " + count(n.all) + " are valid"
		if n.firstBad != "" {
			text += "; not " + n.firstBad
		}
		out.detail(v.Name, "%s", text)
	}
	if out.Samples == 0 {
		return out.unmeasured("no identifiers with a rule were given")
	}
	if bad == 0 {
		return out.judge(0, "all %s identifiers of %d kinds are valid", count(out.Samples), len(m.valid))
	}
	return out.judge(float64(bad), "%s of %s identifiers are not valid", count(bad), count(out.Samples))
}

// bounds counts the amounts and times outside what was configured.
type bounds struct{ checked, outside uint64 }

func (b *bounds) observe(r *Record, e *Expect) {
	if e.AmountMax == 0 && e.To == 0 {
		return
	}
	b.checked++
	if e.AmountMax != 0 && (r.Amount < e.AmountMin || r.Amount > e.AmountMax) ||
		e.To != 0 && (r.Time < e.From || r.Time > e.To) {
		b.outside++
	}
}

func (m *Meter) withinBounds() Measure {
	out := Measure{
		Name: "boundary_adherence", Title: "Within bounds", Group: groupBooks, High: new(0.0),
		Published: "1.0 of the rows lie within the bounds", Source: "SDMetrics BoundaryAdherence", Samples: m.bounds.checked,
	}
	b := m.bounds
	if b.checked == 0 {
		return out.unmeasured("no bounds of amounts or times are configured")
	}
	out.score("BoundaryAdherence", "amount, time", 1-ratio(b.outside, b.checked), b.checked)
	return out.judge(float64(b.outside), "%s of %s records lie outside the bounds of amount and time",
		count(b.outside), count(b.checked))
}
