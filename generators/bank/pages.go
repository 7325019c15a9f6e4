package bank

import "slices"

// pages keep entries in lists of pages. What is there does not move when more is
// needed.
type pages[T any] struct {
	pool  []*[chunk]page[T]
	after []int32 // the page after each one in its list, or in that of the free ones; or -1
	free  int32   // first free page, or -1
}

const (
	pageSize = 64
	chunk    = 32
)

// page is some entries of a list, none of which lies across two lines of a cache.
type page[T any] [pageSize]T

// list is entries in pages, in the order in which they came.
type list struct {
	first, last int32 // pages, or -1
	n           int32 // entries of the last one
}

func noList() list { return list{-1, -1, 0} }

func (s *pages[T]) at(i int32) *page[T] { return &s.pool[uint32(i)/chunk][uint32(i)%chunk] }

// add returns the room of the next entry of a list, to be written there.
func (s *pages[T]) add(l *list) *T {
	if l.last < 0 || l.n == pageSize {
		i := s.more()
		if l.last < 0 {
			l.first = i
		} else {
			s.after[l.last] = i
		}
		l.last, l.n = i, 0
	}
	l.n++
	return &s.at(l.last)[l.n-1]
}

// entries are those of a page of a list.
func (s *pages[T]) entries(l *list, i int32) []T {
	if i == l.last {
		return s.at(i)[:l.n]
	}
	return s.at(i)[:]
}

// more takes a page that is free.
func (s *pages[T]) more() int32 {
	i := s.free
	if i < 0 {
		i = int32(len(s.after))
		if s.after = append(s.after, -1); i%chunk == 0 {
			s.pool = append(s.pool, new([chunk]page[T]))
		}
		return i
	}
	s.free, s.after[i] = s.after[i], -1
	return i
}

// drop frees a page and returns the one after it in its list.
func (s *pages[T]) drop(i int32) (next int32) {
	next = s.after[i]
	s.after[i], s.free = s.free, i
	return next
}

func (s *pages[T]) clone() pages[T] {
	c := *s
	c.pool, c.after = make([]*[chunk]page[T], len(s.pool)), slices.Clone(s.after)
	for i, some := range s.pool {
		c.pool[i] = new(*some)
	}
	return c
}
