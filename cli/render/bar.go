package render

import (
	"fmt"
	"math"
	"strings"
)

// sums are what the columns of a report add up to, and the numbers of the one that is shown as bars.
type sums struct {
	any  bool
	adds []bool
	of   []cell
	bar  int // the column of the bars; -1: none
	bars []float64
}

func newSums(fields []Field) *sums {
	s := &sums{adds: make([]bool, len(fields)), of: make([]cell, len(fields)), bar: -1}
	for i, f := range fields {
		s.of[i].kind, s.adds[i], s.any = f.Kind, f.Look.Adds, s.any || f.Look.Adds
		if f.bars {
			s.bar = i
		}
	}
	return s
}

func (s *sums) add(cells []cell) {
	for i, c := range cells {
		if s.adds[i] {
			s.of[i].number += c.number
		}
		if i == s.bar {
			s.bars = append(s.bars, float64(c.number))
		}
	}
}

// line is the last row of a table, as show writes its numbers. It adds up all rows, and says how many they are where not all
// are shown.
func (s *sums) line(fields []Field, show func(Field, cell) string, short bool, rows int) []string {
	line := make([]string, len(fields))
	total := "Total"
	if short {
		total = fmt.Sprintf("Total of all %d", rows)
	}
	for i, f := range fields {
		if s.adds[i] {
			line[i] = show(f, s.of[i])
		} else if i == 0 {
			line[i] = total
		}
	}
	return line
}

// How many cells a column of bars has.
const barLeast, barMost = 8, 40

// barWidth returns how many cells there are for bars beside columns of these widths; 0 where there are too few.
func barWidth(terminal int, widths []int) int {
	room := terminal - border - padding
	for _, width := range widths {
		if width > 0 {
			room -= width + padding
		}
	}
	if room < barLeast {
		return 0
	}
	return min(room, barMost)
}

// bar draws a number of which the largest fills all cells, to an eighth of a cell, or to a cell without Unicode. What is not
// nothing is seen.
func bar(number, largest float64, cells int, ascii bool) string {
	if number <= 0 || largest <= 0 {
		return ""
	}
	if ascii {
		return strings.Repeat("#", max(1, int(math.Round(number/largest*float64(cells)))))
	}
	eighths := max(1, int(math.Round(number/largest*float64(8*cells))))
	drawn := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		drawn += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return drawn
}
