package delivery

import (
	"bytes"

	"github.com/lakeproof/lakeproof/generators"
)

// json spoils a JSON object. It reports whether it could.
func (p *Poisoner) json(dst []byte, class Class, value []byte, random uint64) ([]byte, bool) {
	if len(value) < 2 || value[0] != '{' {
		return dst, false
	}
	switch class {
	case WrongMagic: // the frame of a serialiser for JSON with a registry, without that serialiser
		return append(append(dst, 0, 0, 0, 0, byte(1+random%100)), value...), true
	case MissingField:
		_, end, ok := p.member(value, 0)
		if !ok || value[end] != ',' {
			return dst, false
		}
		return append(append(dst, '{'), value[end+1:]...), true
	default:
	}
	start, end, ok := p.member(value, p.choose(class, random))
	if !ok {
		return dst, false
	}
	return p.jsonValue(dst, class, value, [2]int{start, end}, generators.Again(random))
}

// jsonValue spoils the value of one member.
func (p *Poisoner) jsonValue(dst []byte, class Class, value []byte, at [2]int, more uint64) ([]byte, bool) {
	start, end := at[0], at[1]
	switch class {
	case WrongType:
		return splice(dst, value, start, end, pick([]string{`"n/a"`, `{}`, `[]`, `["1"]`, `{"value":1}`}, more)), true
	case InvalidTimestamp:
		dst = append(append(dst, value[:start]...), '"')
		dst = append(appendBadTime(dst, more), '"')
		return append(dst, value[end:]...), true
	case InvalidUTF8: // before the value's last byte: inside of quotes, or of a number
		at := max(start, end-1)
		return splice(dst, value, at, at, badText(more)), true
	case Oversized:
		dst = appendDigits(append(dst, value[:start]...), OversizedBytes, more)
		return append(dst, value[end:]...), true
	case OutOfRange:
		dst = append(dst, value[:start]...)
		if more&1 != 0 {
			dst = append(dst, '-')
		}
		dst = appendDigits(dst, 20+int(more>>1&7), more) // any 20 digits without a leading zero pass 2^63
		return append(dst, value[end:]...), true
	default:
	}
	return dst, false
}

// choose picks the field that a class spoils.
func (p *Poisoner) choose(class Class, random uint64) int {
	switch {
	case class == WrongType:
		return pick(p.typed, random)
	case class == InvalidTimestamp && len(p.times) > 0:
		return pick(p.times, random)
	case class == InvalidUTF8 && len(p.times) > 0 && random&1 == 0:
		return pick(p.times, generators.Again(random))
	case class == InvalidUTF8:
		return pick(p.typed, random)
	default: // there is always the checksum
		return pick(p.numbers, random)
	}
}

// member finds where the value of field i begins and ends in an object whose
// members are in the order of the schema, as our encoder writes them.
func (p *Poisoner) member(value []byte, i int) (start, end int, ok bool) {
	at := 0
	for f := 0; f <= i; f++ {
		name := p.fields[f].Name
		at++ // the brace or the comma
		if at+len(name)+4 > len(value) || value[at] != '"' || string(value[at+1:at+1+len(name)]) != name {
			return 0, 0, false
		}
		start = at + len(name) + 3 // two quotes and the colon
		if at = valueEnd(value, start); at >= len(value) {
			return 0, 0, false
		}
	}
	return start, at, true
}

// valueEnd returns where the string or the word that begins at start ends.
func valueEnd(value []byte, start int) int {
	if start < len(value) && value[start] == '"' {
		for at := start + 1; at < len(value); at++ {
			switch value[at] {
			case '\\':
				at++
			case '"':
				return at + 1
			}
		}
		return len(value)
	}
	for at := start; at < len(value); at++ {
		if value[at] == ',' || value[at] == '}' {
			return at
		}
	}
	return len(value)
}

// appendBadTime appends a time that is none: the 13th to 92nd month, a day, an
// hour or a minute too many, the zero date of old databases, or words.
func appendBadTime(dst []byte, random uint64) []byte {
	n := len(dst)
	dst = append(dst, "2026-01-01T00:00:00.000Z"...)
	two := func(at int, number uint64) {
		dst[n+at], dst[n+at+1] = byte('0'+number/10%10), byte('0'+number%10)
	}
	random, which := random/8, random%8
	switch which {
	case 0, 1:
		two(5, 13+random%80)
	case 2, 3:
		two(8, 32+random%60)
	case 4:
		two(11, 25+random%70)
	case 5:
		two(14, 60+random%40)
	case 6:
		return append(dst[:n], "0000-00-00 00:00:00"...)
	default:
		return append(dst[:n], pick([]string{"yesterday", "n/a", "29/02/2023 10h"}, random<<8)...)
	}
	return dst
}

// csv spoils a line of columns in the order of the schema.
func (p *Poisoner) csv(dst []byte, class Class, value []byte, random uint64) ([]byte, bool) {
	line := bytes.TrimRight(value, "\r\n")
	i, more := p.choose(class, random), generators.Again(random)
	if class == MissingField {
		i = 0
	}
	start, end, ok := column(line, i)
	if !ok {
		return dst, false
	}
	switch class {
	case MissingField:
		if end >= len(line) {
			return dst, false
		}
		return append(dst, value[end+1:]...), true
	case WrongType:
		return splice(dst, value, start, end, "n/a"), true
	case InvalidTimestamp:
		dst = appendBadTime(append(dst, value[:start]...), more)
		return append(dst, value[end:]...), true
	case InvalidUTF8:
		return splice(dst, value, start, start, badText(more)), true
	case Oversized:
		dst = appendDigits(append(dst, value[:start]...), OversizedBytes, more)
		return append(dst, value[end:]...), true
	case OutOfRange:
		dst = appendDigits(append(dst, value[:start]...), 20, more)
		return append(dst, value[end:]...), true
	default:
	}
	return dst, false
}

// column finds column i of a line (RFC 4180).
func column(line []byte, i int) (start, end int, ok bool) {
	quoted, at := false, 0
	for ; at < len(line); at++ {
		switch {
		case line[at] == '"':
			quoted = !quoted
		case line[at] == ',' && !quoted:
			if i == 0 {
				return start, at, true
			}
			i--
			start = at + 1
		}
	}
	return start, at, i == 0 && !quoted
}
