// Command mutate shows that the tests notice a broken rule: it breaks each cell of the permission table and each
// constraint, unique index and trigger of the schema, one at a time, runs the tests that hold it, and lists those breaks
// that no test noticed. Run it in the repository: go run ./tools/mutate [-only WORD]
//
// Nothing of the repository is changed. A permission is broken by a test file that is only laid over the package, a rule
// in the template databases of a server that is made for this. A new operation or constraint needs nothing here.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// mutant is one break.
type mutant struct {
	name    string
	program string // test program that should notice
	tests   string
	folder  string
	env     string // for the permission table
	sql     string // for the schema
}

var only = flag.String("only", "", "break only what has this in its `NAME`")

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	survivors, err := run(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
	if survivors > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context) (survivors int, err error) {
	began := time.Now()
	work, err := os.MkdirTemp("", "crm-mutate-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	mutants, overlay, err := permissionMutants(work)
	if err != nil {
		return 0, err
	}
	if err := build(ctx, filepath.Join(work, serviceTest), "./service", "-overlay", overlay); err != nil {
		return 0, err
	}
	if err := build(ctx, filepath.Join(work, schemaTest), "./schema"); err != nil {
		return 0, err
	}

	workers := make([]*worker, runtime.NumCPU())
	for i := range workers {
		if workers[i], err = newWorker(ctx, work); err != nil {
			return 0, err
		}
		defer workers[i].stop()
	}
	rules, err := workers[0].schemaMutants(ctx)
	if err != nil {
		return 0, err
	}

	queue := make(chan mutant)
	var working sync.WaitGroup
	var mu sync.Mutex
	var alive []string
	count := 0
	for _, w := range workers {
		working.Go(func() {
			for m := range queue {
				by, failure := w.try(ctx, m)
				mu.Lock()
				switch {
				case failure != nil:
					err = failure
				case by == "":
					alive = append(alive, m.name)
					fmt.Printf("SURVIVED  %s\n", m.name)
				default:
					fmt.Printf("noticed   %s, by %s\n", m.name, by)
				}
				count++
				mu.Unlock()
			}
		})
	}
	for _, m := range append(rules, mutants...) {
		if strings.Contains(m.name, *only) && ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	working.Wait()
	if err == nil {
		err = ctx.Err()
	}
	fmt.Printf("%d breaks, %d not noticed, in %v\n", count, len(alive), time.Since(began).Round(time.Second))
	for _, name := range alive {
		fmt.Println("  ", name)
	}
	return len(alive), err
}

func build(ctx context.Context, program, folder string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"test", "-c", "-o", program}, flags...), folder)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the tests of %s: %w: %s", folder, err, output)
	}
	return nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// runTests gives the narrowest tests that fail, "" if all pass. Their failing must be that of a test.
func runTests(ctx context.Context, m mutant, work, address string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(work, m.program), "-test.run", m.tests, "-test.timeout", "3m")
	cmd.Dir = m.folder
	cmd.Env = append(os.Environ(), "CRM_TEST_POSTGRES="+address, mutantVariable+"="+m.env)
	output, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	matches := failed.FindAllStringSubmatch(string(output), -1)
	if len(matches) == 0 {
		if strings.Contains(string(output), "panic: test timed out") {
			return "a time-out", nil
		}
		return "", fmt.Errorf("%s: the tests did not run: %w: %s", m.name, err, output)
	}
	var names []string
	for i, match := range matches {
		if i+1 == len(matches) || !strings.HasPrefix(matches[i+1][1], match[1]+"/") {
			names = append(names, match[1])
		}
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ", "), nil
}

func execute(ctx context.Context, address string, statements ...string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
