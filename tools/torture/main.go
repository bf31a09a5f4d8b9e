//go:build linux

// Command torture tries to break crm's promises about money and data, on real PostgreSQL servers of its own, and prints
// what it saw as figures: go run ./tools/torture [--only NAME,...] [--scale 0.1]
//
// A scenario is a function of a trial, one a file, listed in scenarios. It starts the servers that it needs, runs the real
// crm as other processes, does harm, and compares what crm said with what is in the database, which it reads by itself:
// no scenario may ask crm whether crm is right, and none is skipped for want of a program or a right. Everything lies in
// one folder and ends with this process, however it ends.
//
// To add one, write its function in a file of its own and list it below.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
)

var scenarios = []struct {
	name, what string
	run        func(*trial)
}{
	{"payments", "64 processes pay the same contract", payments},
	{"client-kill", "clients are killed, frozen and repeated", clientKill},
	{"server-kill", "the server is killed under load", serverKill},
	{"failover", "the primary is killed and its standby promoted", failover},
	{"replication-wait", "a standby that does not answer, and payments that wait for it", replicationWait},
	{"network", "connections are cut, stalled and delayed", network},
	{"migrate", "migrations at once, killed and resumed", migrations},
	{"disk-full", "the disk under the server is full", diskFull},
	{"refusals", "no connection free, a lock held, a read-only server", refusals},
	{"bulk", "imports, their undo and bank statements are killed", bulk},
	{"feed", "a reader of all changes is killed while others write", feed},
	{"pgbouncer", "PgBouncer in transaction mode", pgbouncer},
	{"serve-kill", "crm serve is killed under 64 clients", serveKill},
	{"serve-stop", "crm serve is told to end under load", serveStop},
	{"serve-roll", "crm serve is replaced under load, on a socket that stays", serveRoll},
	{"serve-failover", "the primary behind crm serve is killed and its standby promoted", serveFailover},
	{"serve-idle", "readers that stand still and connections that say nothing, beside others", serveIdle},
	{"serve-soak", "30 minutes of everything, and what crm serve needs for it", serveSoak},
}

// trial is one scenario as it runs.
type trial struct {
	context.Context
	scale float64
	dir   string // of this scenario alone
	crm   string // the program
	bin   string // the folder of PostgreSQL's programs
	home  string // of all scenarios

	servers []*server

	mu      sync.Mutex
	figures []string
	faults  []string
}

// stopped is what must panics with: the scenario cannot go on.
type stopped struct{ error }

// must ends the scenario on an error of its own means. It is for the scenario's own goroutine only.
func (t *trial) must(err error) {
	if err := errors.Join(t.Err(), err); err != nil {
		panic(stopped{err})
	}
}

// figure records what was seen.
func (t *trial) figure(format string, values ...any) {
	t.note(&t.figures, "  ", fmt.Sprintf(format, values...))
}

// fault records a promise that was not held.
func (t *trial) fault(format string, values ...any) {
	if t.Err() == nil { // what is seen while everything is being ended is nobody's fault
		t.note(&t.faults, "  BROKEN: ", fmt.Sprintf(format, values...))
	}
}

func (t *trial) note(where *[]string, before, line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 20 // one cause often shows many times
	if *where = append(*where, line); len(*where) <= most {
		fmt.Fprintln(os.Stderr, before+line)
	}
}

// times is how often to do something that a full run does n times.
func (t *trial) times(n int) int { return max(1, int(float64(n)*t.scale+0.5)) }

// wait pauses, or ends the scenario.
func (t *trial) wait(d time.Duration) {
	select {
	case <-t.Done():
	case <-time.After(d):
	}
	t.must(nil)
}

// eventually waits until a condition holds.
func (t *trial) eventually(what string, condition func() bool) {
	for deadline := time.Now().Add(time.Minute); !condition(); t.wait(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.must(fmt.Errorf("not within a minute: %s", what))
		}
	}
}

func main() { os.Exit(run()) }

func run() int {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	only := flag.String("only", "", "scenarios to run, of "+strings.Join(names, ", ")+"; all if empty")
	scale := flag.Float64("scale", 1, "how much of a full run")
	keep := flag.Bool("keep", false, "leave the folder with the servers' logs and data")
	flag.Parse()
	for name := range strings.SplitSeq(*only, ",") {
		if *only != "" && !slices.Contains(names, name) || flag.NArg() > 0 || *scale <= 0 {
			flag.Usage()
			return 2
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	// Not TMPDIR, which may be too long for a socket and closed to the account that runs the servers where root tests.
	home, err := os.MkdirTemp("/tmp", "crm-torture-")
	if err == nil {
		err = os.Chmod(home, 0o755)
	}
	var clean func()
	if err == nil {
		clean, err = guard(home, *keep)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	defer clean()
	first, err := prepare(ctx, home)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}

	var report strings.Builder
	held, broken := 0, 0
	begin := time.Now()
	for _, s := range scenarios {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, s.what)
		t := &trial{Context: ctx, scale: *scale, home: home, dir: filepath.Join(home, s.name), crm: first.crm, bin: first.bin}
		start := time.Now()
		t.try(s.run)
		verdict := "held"
		if held++; len(t.faults) > 0 {
			held, broken, verdict = held-1, broken+1, "BROKEN"
		}
		fmt.Fprintf(&report, "\n%-17s %-6s %4.0f s  %s\n", s.name, verdict, time.Since(start).Seconds(), s.what)
		for _, line := range t.figures {
			report.WriteString("    " + line + "\n")
		}
		for _, line := range t.faults {
			report.WriteString("    BROKEN: " + line + "\n")
		}
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "torture: interrupted")
		return 130
	}
	fmt.Println(report.String())
	fmt.Printf("%d scenarios in %.0f s: %d held, %d broken\n", held+broken, time.Since(begin).Seconds(), held, broken)
	if *keep {
		fmt.Println("kept:", home)
	}
	return min(broken, 1)
}

// try runs a scenario; what keeps it from its end is a fault as well. Of the servers that run at its end, the history has to
// be that of their tables.
func (t *trial) try(scenario func(*trial)) {
	ctx := t.Context
	own, cancel := context.WithCancel(ctx)
	t.Context = own
	defer func() {
		problem := recover()
		t.Context = ctx
		cancel() // ends what it left running
		if err, ok := problem.(stopped); ok {
			t.fault("the scenario could not go on: %v", err.error)
		} else if problem != nil {
			panic(problem)
		}
	}()
	t.must(os.Mkdir(t.dir, 0o755))
	scenario(t)
	for _, s := range t.servers {
		if s.runs() {
			s.remembers()
		}
	}
}

// part runs a part of the scenario in a folder of its own; what it could not do is a fault, and the other parts go on.
func (t *trial) part(name string, run func(*trial)) {
	part := &trial{Context: t.Context, scale: t.scale, home: t.home, dir: filepath.Join(t.dir, name), crm: t.crm, bin: t.bin}
	part.try(run)
	t.must(nil)
	t.figures, t.faults = append(t.figures, part.figures...), append(t.faults, part.faults...)
}

// prepare builds crm and finds PostgreSQL's programs.
func prepare(ctx context.Context, home string) (*trial, error) {
	initdb, err := localdb.New("/nonexistent", os.Getenv).Program(ctx, "initdb") // no data yet, so any version will do
	if problem, ok := errors.AsType[*failure.Error](err); ok {
		return nil, fmt.Errorf("%s: %s", problem.Message, problem.Hint)
	} else if err != nil {
		return nil, err
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil { // a link may lack the others beside it
		return nil, err
	}
	crm := filepath.Join(home, "crm")
	build := exec.CommandContext(ctx, "go", "build", "-o", crm, "github.com/epicevents/crm")
	build.Stderr = os.Stderr
	return &trial{crm: crm, bin: filepath.Dir(initdb)}, build.Run()
}

// guard leaves a shell behind that waits for this process to end, however it ends, and then ends whatever was started
// from the folder and removes it. The function that it returns has that done at once, and waits for it.
//
// What is started from the folder names it on its command line; a server takes its own processes with it.
func guard(home string, keep bool) (func(), error) {
	const script = `trap '' HUP INT TERM
cat >/dev/null
left=1 round=0
while [ "$left" ]; do
	left= signal=QUIT round=$((round + 1))
	[ "$round" -lt 100 ] || signal=KILL
	for process in /proc/[0-9]*; do
		if grep -qs "$1/" "$process/cmdline"; then
			left=1
			kill -CONT "${process#/proc/}" && kill -"$signal" "${process#/proc/}"
		fi 2>/dev/null
	done
	[ -z "$left" ] || sleep 0.1
done
for disk in "$1"/*/*/disk; do
	[ ! -d "$disk" ] || umount "$disk" 2>/dev/null
done
[ "$2" = true ] || rm -rf "$1"`
	shell := exec.Command("sh", "-c", script, "sh", home, fmt.Sprint(keep))
	shell.Dir = "/"
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this process, which then asks the shell
	stdin, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = stdin.Close()
		_ = shell.Wait()
	}, nil
}
