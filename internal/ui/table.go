package ui

import (
	"fmt"
	"io"
	"strings"
)

// Table writes rows in columns two spaces apart, each line after indent. The
// first row is the heading. A column whose heading ends in "|" is aligned to
// the right; the bar is not printed.
func Table(w io.Writer, indent string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	heading := rows[0]
	right, width := make([]bool, len(heading)), make([]int, len(heading))
	head := make([]string, len(heading))
	for i, h := range heading {
		head[i], right[i] = strings.CutSuffix(h, "|")
	}
	lines := append([][]string{head}, rows[1:]...)
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], columns(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", width[i]-columns(cell))
			if right[i] {
				cell, pad = pad+cell, ""
			}
			b.WriteString(cell + pad + "  ")
		}
		if text := strings.TrimRight(b.String(), " "); text != "" {
			if _, err := fmt.Fprintf(w, "%s%s\n", indent, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Bar draws a share from 0 to 1 as a progress bar of width columns, to an
// eighth of a column.
func Bar(share float64, width int) string {
	eighths := int(min(max(share, 0), 1)*float64(width)*8 + 1e-9)
	text := strings.Repeat("█", eighths/8)
	if part := eighths % 8; part > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[part-1])
	}
	return text + strings.Repeat("░", max(width-columns(text), 0))
}
