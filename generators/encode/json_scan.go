package encode

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) from a text that is known to be UTF-8.
type scanner struct {
	text string
	at   int
}

// maxDepth bounds how deep a value that is skipped may nest.
const maxDepth = 100

// peek returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// skip passes white space and then c, when it is there.
func (s *scanner) skip(c byte) bool {
	if s.space(); s.peek() != c || c == 0 {
		return false
	}
	s.at++
	return true
}

// end passes white space and wants nothing more.
func (s *scanner) end() error {
	if s.space(); s.at < len(s.text) {
		return errors.New("want nothing after the object")
	}
	return nil
}

// literal passes a word, when it is there.
func (s *scanner) literal(word string) bool {
	if end := s.at + len(word); end <= len(s.text) && s.text[s.at:end] == word {
		s.at = end
		return true
	}
	return false
}

// str reads a string. Without escapes it is a piece of the text.
func (s *scanner) str() (string, error) {
	if s.peek() != '"' {
		return "", errors.New("want a string")
	}
	start := s.at + 1
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[start:i], nil
		case c == '\\':
			s.at = i
			return s.unescape(append(make([]byte, 0, 2*(i-start)+16), s.text[start:i]...))
		case c < ' ':
			s.at = i
			return "", errors.New("want control characters escaped")
		}
	}
	s.at = len(s.text)
	return "", errors.New("want the end of the string")
}

// unescape reads the rest of a string, from its first backslash on.
func (s *scanner) unescape(out []byte) (string, error) {
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return string(out), nil
		case c < ' ':
			return "", errors.New("want control characters escaped")
		case c != '\\':
			out = append(out, c)
			continue
		}
		c = s.peek()
		s.at++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := s.unit()
			if !ok {
				return "", errors.New("want four hexadecimal digits")
			}
			out = utf8.AppendRune(out, s.pair(r))
		default:
			return "", errors.New("want a known escape")
		}
	}
	return "", errors.New("want the end of the string")
}

// unit reads the four digits of one UTF-16 unit.
func (s *scanner) unit() (rune, bool) {
	if s.at+4 > len(s.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(s.text[s.at:s.at+4], 16, 16)
	if err != nil {
		return 0, false
	}
	s.at += 4
	return rune(n), true
}

// pair joins r with the low surrogate that follows it. A surrogate alone is
// U+FFFD, as in encoding/json.
func (s *scanner) pair(r rune) rune {
	if !utf16.IsSurrogate(r) {
		return r
	}
	before := s.at
	if s.literal(`\u`) {
		if low, ok := s.unit(); ok {
			if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
				return joined
			}
		}
	}
	s.at = before
	return utf8.RuneError
}

// integer reads a number without fraction and exponent that fits 64 bits.
func (s *scanner) integer() (int64, error) {
	negative := s.literal("-")
	start, n, limit := s.at, uint64(0), uint64(math.MaxInt64)
	if negative {
		limit++
	}
	for ; s.at < len(s.text); s.at++ {
		d := uint64(s.text[s.at] - '0')
		if d > 9 {
			break
		}
		if s.at-start >= 18 && n > (limit-d)/10 { // 18 digits always fit
			return 0, errors.New("want an integer of 64 bits")
		}
		n = n*10 + d
	}
	if s.at == start || s.text[start] == '0' && s.at > start+1 {
		return 0, errors.New("want an integer")
	}
	if c := s.peek(); c == '.' || c|0x20 == 'e' {
		return 0, errors.New("want an integer")
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// integerIn reads an integer within limits.
func (s *scanner) integerIn(low, high int64) (int64, error) {
	n, err := s.integer()
	if err == nil && (n < low || n > high) {
		return 0, fmt.Errorf("want an integer from %d to %d, not %d", low, high, n)
	}
	return n, err
}

// skipValue passes any value.
func (s *scanner) skipValue(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("want at most %d levels", maxDepth)
	}
	s.space()
	switch c := s.peek(); c {
	case '"':
		_, err := s.str()
		return err
	case '{', '[':
		return s.skipNested(c, depth)
	default:
		if s.literal("null") || s.literal("true") || s.literal("false") {
			return nil
		}
		return s.skipNumber()
	}
}

// skipNested passes an object or an array.
func (s *scanner) skipNested(open byte, depth int) error {
	end := open + 2 // '}' follows '{' by two, and so does ']' '['
	s.at++
	if s.skip(end) {
		return nil
	}
	for {
		if open == '{' {
			s.space()
			if _, err := s.str(); err != nil {
				return err
			}
			if !s.skip(':') {
				return errors.New("want a colon")
			}
		}
		if err := s.skipValue(depth + 1); err != nil {
			return err
		}
		if s.skip(end) {
			return nil
		}
		if !s.skip(',') {
			return fmt.Errorf("want a comma or %q", end)
		}
	}
}

// skipNumber passes a number with fraction and exponent.
func (s *scanner) skipNumber() error {
	s.literal("-")
	if !s.literal("0") && !s.digits() {
		return errors.New("want a value")
	}
	if s.literal(".") && !s.digits() {
		return errors.New("want digits after the point")
	}
	if s.peek()|0x20 == 'e' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return errors.New("want digits in the exponent")
		}
	}
	return nil
}

// digits passes one or more digits.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}
