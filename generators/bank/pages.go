package bank

// pages keep what is pending, in lists of pages. What is there does not move when
// more is needed.
type pages struct {
	pool []*[chunk]page
	made int32
	free int32 // first free page, or -1
}

const (
	pageSize = 31
	chunk    = 64
)

// page is some entries of a list.
type page struct {
	entries [pageSize]pending
	next    int32
}

// list is entries in pages, in the order in which they came.
type list struct {
	first, last int32 // pages, or -1
	n           int32 // entries of the last one
}

func noList() list { return list{-1, -1, 0} }

func (s *pages) at(i int32) *page { return &s.pool[uint32(i)/chunk][uint32(i)%chunk] }

// add appends an entry to a list.
func (s *pages) add(l *list, p *pending) {
	if l.last < 0 || l.n == pageSize {
		i := s.more()
		if l.last < 0 {
			l.first = i
		} else {
			s.at(l.last).next = i
		}
		l.last, l.n = i, 0
	}
	s.at(l.last).entries[l.n] = *p
	l.n++
}

// entries are those of a page of a list.
func (s *pages) entries(l *list, i int32) []pending {
	if i == l.last {
		return s.at(i).entries[:l.n]
	}
	return s.at(i).entries[:]
}

// more takes a page that is free.
func (s *pages) more() int32 {
	i := s.free
	if i < 0 {
		i = s.made
		if s.made++; i%chunk == 0 {
			s.pool = append(s.pool, new([chunk]page))
		}
	} else {
		s.free = s.at(i).next
	}
	s.at(i).next = -1
	return i
}

// drop frees a page and returns the one after it in its list.
func (s *pages) drop(i int32) (next int32) {
	p := s.at(i)
	next = p.next
	p.next, s.free = s.free, i
	return next
}

func (s *pages) clone() pages {
	c := *s
	c.pool = make([]*[chunk]page, len(s.pool))
	for i, some := range s.pool {
		c.pool[i] = new(*some)
	}
	return c
}
