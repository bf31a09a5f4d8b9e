package terminal

// IsClosed is false: writing to a closed stream is an error there.
func IsClosed(any) bool { return false }
