package realism

import "math/bits"

const (
	golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio, odd
	spread = 0xd6e8feb86659fd93 // odd, balanced bits
)

// fold multiplies to 128 bits and folds the halves together.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// pair is the hash of two hashes in their order.
func pair(a, b uint64) uint64 { return whole(fold(a^golden, bits.RotateLeft64(b, 29)^spread)) }

// hash maps a text to 64 bits, the same on every machine, 0 for the empty text
// only. Two of n texts share a hash with probability n²/2^65: 3 in 100,000 for
// 33 million texts. It is no defence against texts made to collide.
func hash(s string) uint64 {
	if s == "" {
		return 0
	}
	h := uint64(len(s))*spread ^ golden
	i := 0
	for ; i+8 < len(s); i += 8 {
		h = fold(h^load(s, i), golden)
	}
	var last uint64
	if len(s) >= 8 {
		last = load(s, len(s)-8)
	} else {
		for j := range len(s) {
			last = last<<8 | uint64(s[j])
		}
	}
	return whole(fold(h^last, spread))
}

// whole finishes a hash so that each of its bits serves for sampling, and
// keeps it from being 0.
func whole(h uint64) uint64 {
	h = (h ^ h>>32) * golden
	return max(1, h^h>>29)
}

func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// sampled reports whether a hash belongs to the sample of a level: all of them
// at level 0, half of those of the level before at each further one.
func sampled(h uint64, level uint8) bool { return h&(1<<level-1) == 0 }

// keySet remembers hashes. When it is full it keeps every second one only, by
// the hash itself: of a key that belongs to the sample, each occurrence is
// seen, so twins and missing parents are found with certainty among the keys
// that are looked at.
type keySet struct {
	slots []uint64
	used  int
	limit int
	level uint8
}

func newKeySet(limit int) keySet { return keySet{slots: make([]uint64, 1024), limit: limit} }

// add puts a sampled hash in and reports whether it was there.
func (k *keySet) add(h uint64) bool {
	at, there := k.find(h)
	if there {
		return true
	}
	k.slots[at] = h
	if k.used++; k.used*3 > len(k.slots)*2 {
		k.grow()
	}
	return false
}

func (k *keySet) find(h uint64) (int, bool) {
	mask := len(k.slots) - 1
	for at := int(h>>20) & mask; ; at = (at + 1) & mask {
		switch k.slots[at] {
		case h:
			return at, true
		case 0:
			return at, false
		}
	}
}

// grow makes room: by twice the slots, or by leaving half of the keys.
func (k *keySet) grow() {
	old, size := k.slots, 2*len(k.slots)
	if k.used >= k.limit {
		k.level, size = k.level+1, len(k.slots)
	}
	k.slots, k.used = make([]uint64, size), 0
	for _, h := range old {
		if h != 0 && sampled(h, k.level) {
			at, _ := k.find(h)
			k.slots[at] = h
			k.used++
		}
	}
}

// table holds a value for each hash. When it is full it keeps the sample of
// the next level only.
type table[T any] struct {
	slots []uint64 // the upper half of the hash, and the item's index plus one
	keys  []uint64
	items []T
	limit int
	level uint8
}

func newTable[T any](limit int) table[T] { return table[T]{slots: make([]uint64, 256), limit: limit} }

// at returns the item of a hash, made when it is new; nil where the hash is 0
// or outside the sample. The pointer holds until the next call.
func (t *table[T]) at(h uint64) *T {
	if h == 0 || !sampled(h, t.level) {
		return nil
	}
	at, i := t.find(h)
	if i >= 0 {
		return &t.items[i]
	}
	if len(t.items) >= t.limit {
		level := t.level + 1
		t.keep(func(h uint64, _ *T) bool { return sampled(h, level) })
		t.level = level
		return t.at(h)
	}
	var zero T
	t.keys, t.items = append(t.keys, h), append(t.items, zero)
	t.slots[at] = h>>32<<32 | uint64(len(t.items))
	if len(t.items)*3 > len(t.slots)*2 {
		t.slots = make([]uint64, 2*len(t.slots))
		t.index()
	}
	return &t.items[len(t.items)-1]
}

// find returns the slot of a hash and the index of its item, or -1.
func (t *table[T]) find(h uint64) (slot, item int) {
	mask := len(t.slots) - 1
	for at := int(h>>12) & mask; ; at = (at + 1) & mask {
		s := t.slots[at]
		if s == 0 {
			return at, -1
		}
		if s>>32 == h>>32 {
			if i := int(uint32(s)) - 1; t.keys[i] == h {
				return at, i
			}
		}
	}
}

// index fills empty slots from the keys.
func (t *table[T]) index() {
	for i, h := range t.keys {
		at, _ := t.find(h)
		t.slots[at] = h>>32<<32 | uint64(i+1)
	}
}

// keep drops the items that are not wanted.
func (t *table[T]) keep(wanted func(h uint64, item *T) bool) {
	n := 0
	for i := range t.items {
		if wanted(t.keys[i], &t.items[i]) {
			t.keys[n], t.items[n] = t.keys[i], t.items[i]
			n++
		}
	}
	t.keys, t.items = t.keys[:n], t.items[:n]
	clear(t.slots)
	t.index()
}

// maxCodes bounds the values of a column that are told apart; all further ones
// share the last code.
const maxCodes = 4096

// dict gives the values of a column numbers in the order in which they came; 0
// is the missing value.
type dict struct {
	slots []uint64 // hashes
	codes []uint16
	names []string
}

func newDict() dict {
	return dict{slots: make([]uint64, 64), codes: make([]uint16, 64), names: []string{""}}
}

func (d *dict) code(s string) uint16 {
	h := hash(s)
	if h == 0 {
		return 0
	}
	mask := len(d.slots) - 1
	at := int(h>>20) & mask
	for ; d.slots[at] != 0; at = (at + 1) & mask {
		if d.slots[at] == h {
			return d.codes[at]
		}
	}
	return d.learn(s, h, at)
}

func (d *dict) learn(s string, h uint64, at int) uint16 {
	const longest = 64 // of a name that is kept for the report
	switch {
	case len(d.names) == maxCodes:
		d.names = append(d.names, "(all others)")
		return maxCodes
	case len(d.names) > maxCodes:
		return maxCodes
	}
	c := uint16(len(d.names))
	d.names = append(d.names, string([]byte(s[:min(len(s), longest)])))
	d.slots[at], d.codes[at] = h, c
	if 2*len(d.names) > len(d.slots) {
		d.grow()
	}
	return c
}

func (d *dict) grow() {
	slots, codes := d.slots, d.codes
	d.slots, d.codes = make([]uint64, 2*len(slots)), make([]uint16, 2*len(slots))
	mask := len(d.slots) - 1
	for i, h := range slots {
		if h == 0 {
			continue
		}
		at := int(h>>20) & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at], d.codes[at] = h, codes[i]
	}
}
