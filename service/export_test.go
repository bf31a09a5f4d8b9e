package service

import "context"

// TakeTurns takes all places of those who hash, and returns a function that frees them.
func TakeTurns(ctx context.Context) (give func(), err error) {
	turns := make([]turn, cap(hashing))
	for i := range turns {
		if err := turns[i].take(ctx); err != nil {
			return nil, err
		}
	}
	return func() {
		for i := range turns {
			turns[i].give()
		}
	}, nil
}
