package cli

// isClosed is false: writing to a closed stream is an error there.
func isClosed(any) bool { return false }
