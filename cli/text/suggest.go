package text

import (
	"cmp"
	"strings"
)

// Suggest returns the candidate that the user most likely meant by typed, or "" when none is near.
// Near is an edit distance of up to a third of what was typed (at least 1), or a beginning of two letters or more;
// upper and lower case are the same, and equally near candidates are taken in alphabetical order.
func Suggest(typed string, candidates []string) string {
	const none = 1 << 30
	want := []rune(strings.ToLower(typed))
	limit := max(1, len(want)/3)

	best, bestRank, bestDistance := "", none, none
	for _, candidate := range candidates {
		have := []rune(strings.ToLower(candidate))
		begins := len(want) >= 2 && strings.HasPrefix(string(have), string(want))
		lengths := max(len(want), len(have)) - min(len(want), len(have))
		if !begins && lengths > limit {
			continue // also keeps the distance cheap, however long the typed text is
		}
		distance := EditDistance(want, have)
		rank := distance
		switch {
		case begins:
			rank = min(distance, 1) // a beginning is as good as one slip
		case distance > limit || distance > 0 && distance >= len(want):
			continue
		}
		if cmp.Or(cmp.Compare(rank, bestRank), cmp.Compare(distance, bestDistance), cmp.Compare(candidate, best)) < 0 {
			best, bestRank, bestDistance = candidate, rank, distance
		}
	}
	return best
}

// EditDistance is the Damerau-Levenshtein distance (optimal string alignment): how many letters to insert, delete,
// replace, or swap with their neighbour.
func EditDistance(a, b []rune) int {
	previous, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next[0] = i + 1
		for j := range b {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], previous[j-1]+1)
			}
		}
		previous, row, next = row, next, previous
	}
	return row[len(b)]
}
