// Package ui is how figures look to a person: numbers, durations and bytes in
// words, glyphs, plain tables, and the live view of a run.
//
// A value flows like this: a caller turns its own state into a [Frame] once a
// second and gives it to [Live.Update], which redraws ten lines in place on a
// terminal, or writes one line now and then where there is none. The formatting
// functions serve the reports too, so that a figure looks the same everywhere.
//
// It does not know what a run is, open files, or ask the terminal anything: the
// writer, the width and whether colour is wanted are given.
package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The glyphs. Each one stands beside a word, never alone.
const (
	Good    = "✔"
	Bad     = "✘"
	Unclear = "?"
	Stopped = "■"
)

// Clean makes text of others safe for a terminal and for one line: control
// characters and line breaks become spaces, invalid UTF-8 the replacement
// character.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Clip cuts a line to width columns, with an ellipsis where something was cut.
// ANSI colour sequences take no column.
func Clip(line string, width int) string {
	if columns(line) <= width {
		return line
	}
	if width < 1 {
		return ""
	}
	var b strings.Builder
	used, coloured := 0, false
	for i := 0; i < len(line); {
		if n := escape(line[i:]); n > 0 {
			b.WriteString(line[i : i+n])
			coloured = true
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		if used+runeWidth(r) > width-1 {
			break
		}
		b.WriteRune(r)
		used += runeWidth(r)
		i += n
	}
	b.WriteString("…")
	if coloured {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

// columns is how wide a line is on a terminal.
func columns(line string) int {
	n := 0
	for i := 0; i < len(line); {
		if skip := escape(line[i:]); skip > 0 {
			i += skip
			continue
		}
		r, size := utf8.DecodeRuneInString(line[i:])
		n += runeWidth(r)
		i += size
	}
	return n
}

// runeWidth is 2 for the wide blocks of East Asian scripts and emoji, 0 for
// marks that join the rune before them, else 1.
func runeWidth(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || r == 0x200D:
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
		r >= 0xFF01 && r <= 0xFF60, r >= 0x1F300 && r <= 0x1FAFF, r >= 0x3001 && r <= 0x303F:
		return 2
	}
	return 1
}

// escape returns the length of the ANSI sequence (ECMA-48, CSI) that s begins
// with, or 0.
func escape(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return i + 1
		}
	}
	return len(s)
}
