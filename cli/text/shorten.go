package text

// Shorten keeps a message on one line when a whole file was pasted as a word.
func Shorten(s string) string {
	const limit = 40
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// Mask stands for a value that is not shown.
const Mask = "********"
