package text

import "strings"

// Sentence ends a message as sentences end.
func Sentence(message string) string {
	if strings.HasSuffix(message, ".") || strings.HasSuffix(message, "?") || strings.HasSuffix(message, "!") {
		return message
	}
	return message + "."
}
