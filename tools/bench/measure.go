package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// figure is what one run gave: a time or a count, and the peak of the memory where that is measured.
type figure struct {
	value float64
	peak  float64 // MiB
}

// measured is a case, its yardstick, and what came of them.
type measured struct {
	Case            string  `json:"case"`
	Yardstick       string  `json:"yardstick"`
	Unit            string  `json:"unit"` // ms, per second, MiB, bytes, or empty for a count
	Median          float64 `json:"median"`
	YardstickMedian float64 `json:"yardstick_median,omitempty"`
	Ratio           float64 `json:"ratio,omitempty"`
	Target          string  `json:"target,omitempty"`
	PeakMiB         float64 `json:"peak_mib,omitempty"`
	PeakTarget      float64 `json:"peak_target_mib,omitempty"`
	Missed          bool    `json:"missed"`
	Failure         string  `json:"failure,omitempty"` // of the first run that failed, on one line

	limit           float64 // of the ratio, or of the count where there is no yardstick
	repeat          int     // runs in a round, for what is short
	crm, beside     func(context.Context) (figure, error)
	figures, others []figure
}

// measure runs a case as often as a round asks, unless it has failed before.
func (c *measured) measure(ctx context.Context) {
	if c.Failure != "" {
		return
	}
	if err := c.run(ctx); err != nil {
		c.Failure = strings.Join(strings.Fields(err.Error()), " ")
		progress("%s: %s", c.Case, c.Failure)
	}
}

func (c *measured) run(ctx context.Context) error {
	for range max(c.repeat, 1) {
		got, err := c.crm(ctx)
		if err != nil {
			return err
		}
		c.figures = append(c.figures, got)
		if c.beside == nil {
			continue
		}
		got, err = c.beside(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Yardstick, err)
		}
		c.others = append(c.others, got)
	}
	return nil
}

// sum makes medians of the figures and compares them with the target.
func (c *measured) sum() {
	if c.Failure != "" {
		return
	}
	c.Median = median(c.figures)
	for _, f := range c.figures {
		c.PeakMiB = max(c.PeakMiB, f.peak)
	}
	compared := c.Median
	if c.beside != nil {
		c.YardstickMedian = median(c.others)
		c.Ratio = c.Median / c.YardstickMedian
		compared = c.Ratio
	}
	if c.limit != 0 {
		c.Target = fmt.Sprintf("<= %v", c.limit)
		c.Missed = compared > c.limit
		if c.Unit == perSecond {
			c.Target = fmt.Sprintf(">= %v", c.limit)
			c.Missed = compared < c.limit
		}
	}
	c.Missed = c.Missed || c.PeakTarget != 0 && c.PeakMiB > c.PeakTarget
}

const (
	milliseconds = "ms"
	perSecond    = "per second"
	mebibytes    = "MiB"
	inBytes      = "bytes"
)

func (c *measured) show(value float64) string {
	switch {
	case c.Unit == "":
		return fmt.Sprintf("%.0f", value)
	case c.Unit == milliseconds && value < 10:
		return fmt.Sprintf("%.2f %s", value, c.Unit)
	case value < 100:
		return fmt.Sprintf("%.1f %s", value, c.Unit)
	}
	return fmt.Sprintf("%.0f %s", value, c.Unit)
}

func median(figures []figure) float64 {
	values := make([]float64, len(figures))
	for i, f := range figures {
		values[i] = f.value
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}

// timed runs a program to its end, its output thrown away, and gives its time and its peak.
func (b *bench) timed(ctx context.Context, env []string, argv ...string) (figure, error) {
	var took time.Duration
	var peak int64
	var code int
	report, write, err := os.Pipe()
	if err != nil {
		return figure{}, err
	}
	defer report.Close()
	cmd := command(ctx, env, slices.Concat([]string{b.start}, argv)...)
	cmd.ExtraFiles = []*os.File{write}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	err = cmd.Run()
	write.Close()
	if err != nil {
		return figure{}, errors.Join(err, errors.New(complaint.String()))
	}
	if _, err := fmt.Fscan(report, &took, &peak, &code); err != nil {
		return figure{}, err
	}
	if code != 0 {
		return figure{}, fmt.Errorf("%s ended with %d: %s", argv[0], code, complaint.String())
	}
	return figure{value: took.Seconds() * 1000, peak: math.Round(float64(peak)/102.4) / 10}, nil
}

// command runs a program with this environment alone.
func command(ctx context.Context, env []string, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	return cmd
}

// output runs a program and gives what it writes.
func output(ctx context.Context, env []string, input string, argv ...string) (string, error) {
	cmd := command(ctx, env, argv...)
	cmd.Stdin = strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, complaint.String())
	}
	return string(text), nil
}
