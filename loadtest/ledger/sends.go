package ledger

// sent returns the slots of a record that were sent, and surely not in vain.
func (a *Account) sent(record uint64) (at [2]uint64, count int) {
	var copies [2]uint64
	n := 1
	copies[0] = record
	if a.Sends != nil {
		copies[0], copies[1], n = a.Sends.Slots(record)
	}
	for _, slot := range copies[:n] {
		if slot < a.Sent && !a.Failed.Has(slot) {
			at[count] = slot
			count++
		}
	}
	// A copy that was acknowledged is claimed before one of which nobody knows.
	if count == 2 && !a.Acked(at[0]) && a.Acked(at[1]) {
		at[0], at[1] = at[1], at[0]
	}
	return at, count
}

// claim finds the slot that a row of a record stands for, where no offset says
// which copy it is: the first that has no row yet. ok is false when the record
// was never sent.
func (a *Account) claim(record uint64, seen *Set) (slot uint64, ok bool) {
	at, count := a.sent(record)
	if count == 2 && seen.Has(at[0]) && !seen.Has(at[1]) {
		return at[1], true
	}
	return at[0], count > 0
}

// at finds the slot that a row of a record at an offset stands for.
func (a *Account) at(exp Expected, record uint64, p place, seen *Set) (slot uint64, ok bool) {
	copies, count := a.sent(record)
	if count == 2 && p.own {
		cursor := a.Index.Cursor(p.partition)
		if batch, found := cursor.Find(p.offset); found {
			in := func(i int) bool { return copies[i] >= batch.FirstSeq && copies[i] <= batch.LastSeq }
			switch {
			case in(0) != in(1) && in(0):
				return copies[0], true
			case in(0) != in(1):
				return copies[1], true
			case in(0) && seqAt(a, exp, p.partition, batch) == copies[1]:
				return copies[1], true
			case in(0):
				return copies[0], true
			}
		}
	}
	return a.claim(record, seen)
}

// Bury finds the offsets of the poisoned slots. It must be called before the
// account is reconciled, once the index is sorted.
func (a *Account) Bury(exp Expected) {
	a.graves = make([]map[int64]uint64, a.Index.Partitions())
	for p := range a.graves {
		a.graves[p] = map[int64]uint64{}
		for _, e := range a.Index.parts[p] {
			a.buryBatch(exp, int32(p), e)
		}
	}
}

// buryBatch finds the offsets of a batch at which poison lies.
func (a *Account) buryBatch(exp Expected, partition int32, e entry) {
	last := e.firstSeq + uint64(e.span)
	left := 0
	for slot := e.firstSeq; slot <= last; slot++ {
		if a.poisoned(slot) {
			left++
		}
	}
	dense := uint64(e.span)+1 == uint64(e.count)
	offset := e.offset
	for slot := e.firstSeq; slot <= last && left > 0; slot++ {
		poisoned := a.poisoned(slot)
		if poisoned {
			left--
		}
		if !dense && (!a.Acked(slot) || exp.Partition(slot) != partition) {
			continue
		}
		if poisoned {
			a.graves[partition][offset] = slot
		}
		offset++
	}
}

// grave returns the poisoned slot at an offset.
func (a *Account) grave(partition int32, offset int64) (slot uint64, ok bool) {
	if int(partition) >= len(a.graves) || partition < 0 {
		return 0, false
	}
	slot, ok = a.graves[partition][offset]
	return slot, ok
}

// Graves is how many poisoned records lie at offsets from first up to, but not
// including, end.
func (a *Account) Graves(partition int32, first, end int64) (n int64) {
	if int(partition) >= len(a.graves) || partition < 0 {
		return 0
	}
	for offset := range a.graves[partition] {
		if offset >= first && offset < end {
			n++
		}
	}
	return n
}
