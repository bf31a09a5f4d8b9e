package remote

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A peer may log in this often, whatever the username: guessing many names with one password is slow too. The schema
// counts for each username besides.
const (
	loginsASecond = 1
	loginsAtOnce  = 40 // of scripts that all begin at two o'clock
	peersKept     = 10_000
)

// limiter is a limit for each peer.
type limiter struct {
	mutex sync.Mutex
	peers map[string]*rate.Limiter
}

func newLimiter() *limiter { return &limiter{peers: map[string]*rate.Limiter{}} }

// wait takes one login of a peer, or returns how long until there is one.
func (l *limiter) wait(peer string) time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := time.Now()
	each := l.peers[peer]
	if each == nil {
		if len(l.peers) >= peersKept {
			l.forget(now)
		}
		each = rate.NewLimiter(loginsASecond, loginsAtOnce)
		l.peers[peer] = each
	}
	reservation := each.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay > 0 {
		reservation.CancelAt(now)
	}
	return delay
}

// spent returns how long a peer has nothing left, without taking anything.
func (l *limiter) spent(peer string) time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	each := l.peers[peer]
	if each == nil {
		return 0
	}
	return time.Duration(max(0, 1-each.TokensAt(time.Now())) / loginsASecond * float64(time.Second))
}

// forget drops those that have all of their logins again, and everybody where nobody has.
func (l *limiter) forget(now time.Time) {
	for peer, each := range l.peers {
		if each.TokensAt(now) >= loginsAtOnce {
			delete(l.peers, peer)
		}
	}
	if len(l.peers) >= peersKept {
		clear(l.peers)
	}
}
