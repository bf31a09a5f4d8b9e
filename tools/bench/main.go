// Command bench measures crm beside psql, pgbench and a program that only prints, on a large database that it makes on a
// server of its own and removes at the end: go run ./tools/bench [--scale 0.1] [--rounds 5] [--only REGEXP]
//
// Each round runs every case and then its yardstick, so that a busy machine slows both, and what counts is the ratio of
// the medians. BENCH_OUT names a file for the figures in JSON. A missed target is printed, and is no failure: a figure
// needs a reader. A case that fails says so in its row, and is not run again; the others are.
//
// It must use crm as a user does, by running it. To measure one more thing add a case in cases.go.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	log.SetFlags(0)
	scale := flag.Float64("scale", 1, "size of the largest database: 1 is 100 000 customers, 1 000 000 contracts, 500 000 events")
	rounds := flag.Int("rounds", 5, "how often each case is run")
	only := flag.String("only", "", "only the cases whose name this regular expression finds")
	changes := flag.Int("changes", 0, "changes in the largest history; 5 000 000 times the scale unless told")
	crm := flag.String("crm", "", "measure this program instead of the one of this folder")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil || *scale <= 0 || *rounds < 1 || *changes < 0 || flag.NArg() > 0 {
		log.Fatal("usage: bench [--scale 0.1] [--rounds 5] [--only REGEXP] [--changes N] [--crm FILE]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *scale, *rounds, *changes, wanted, *crm); err != nil {
		stop()
		log.Fatal("bench: ", err)
	}
}

func run(ctx context.Context, scale float64, rounds, changes int, wanted *regexp.Regexp, crm string) (failure error) {
	b, err := newBench(ctx, scale, crm)
	if err != nil {
		return err
	}
	defer func() {
		if err := b.close(); failure == nil {
			failure = err
		}
	}()
	cases := slices.DeleteFunc(b.cases(changes), func(c *measured) bool { return !wanted.MatchString(c.Case) })
	for round := range rounds {
		progress("Round %d of %d", round+1, rounds)
		if err := b.login(ctx); err != nil {
			return err
		}
		for _, c := range cases {
			c.measure(ctx)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	failed := 0
	for _, c := range cases {
		c.sum()
		if c.Failure != "" {
			failed++
		}
	}
	printTable(cases)
	if file := os.Getenv("BENCH_OUT"); file != "" {
		if err := writeJSON(file, scale, rounds, cases); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, len(cases))
	}
	return nil
}

func progress(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", slices.Concat([]any{time.Now().Format(time.TimeOnly)}, values)...)
}

func printTable(cases []*measured) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tYARDSTICK\tCRM\tYARDSTICK\tRATIO\tTARGET\tPEAK MiB\tTARGET\t")
	for _, c := range cases {
		if c.Failure != "" {
			fmt.Fprintln(w, strings.Join([]string{c.Case, c.Yardstick, "failed", "", "", "", "", "", c.Failure}, "\t"))
			continue
		}
		beside, ratio, peak, peakTarget, missed := "", "", "", "", ""
		if c.beside != nil {
			beside, ratio = c.show(c.YardstickMedian), fmt.Sprintf("%.2f", c.Ratio)
		}
		if c.PeakMiB > 0 {
			peak = fmt.Sprintf("%.1f", c.PeakMiB)
		}
		if c.PeakTarget > 0 {
			peakTarget = fmt.Sprintf("<= %v", c.PeakTarget)
		}
		if c.Missed {
			missed = "missed"
		}
		fmt.Fprintln(w, strings.Join([]string{c.Case, c.Yardstick, c.show(c.Median), beside, ratio, c.Target, peak, peakTarget, missed}, "\t"))
	}
	w.Flush()
}

func writeJSON(file string, scale float64, rounds int, cases []*measured) error {
	text, err := json.MarshalIndent(map[string]any{
		"time": time.Now().UTC().Format(time.RFC3339), "version": version(), "scale": scale, "rounds": rounds, "cases": cases,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func version() string {
	output, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
	return cmp.Or(strings.TrimSpace(string(output)), fmt.Sprint(err))
}

// build compiles a package of this module.
func build(ctx context.Context, folder, pkg string) (string, error) {
	program := filepath.Join(folder, filepath.Base(pkg))
	if pkg == "." {
		program = filepath.Join(folder, "crm")
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build has it
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, output)
	}
	return program, nil
}
