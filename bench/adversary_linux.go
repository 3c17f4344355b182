package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/adversary"
	"github.com/sallyport/sallyport/scan"
)

// told is how many wrong verdicts are told of each kind.
const told = 20

// measureAdversary has the scanner judge cases that are made up against it, and
// CPython say what they do.
func (b *bench) measureAdversary(ctx context.Context) error {
	oracle := &adversary.Oracle{}
	if err := oracle.Preflight(); err != nil {
		b.warn("no adversarial cases were judged: %v", err)
		return nil
	}
	s := scan.New(scan.Options{Temp: b.dir})
	step := max(1, b.scale.Cases/20)
	next := step
	h := &adversary.Hunt{
		Generator: adversary.Generator{Seed: b.given.seed}, Oracle: oracle,
		Judge: func(ctx context.Context, name string, data []byte) (bool, string, error) {
			r, err := s.Bytes(ctx, name, data)
			if err != nil {
				return false, "", err
			}
			return r.Verdict.Passes(), verdictOf(r), nil
		},
		Progress: func(done int) {
			if done >= next {
				b.say("adversary: %s of %s cases", count(done), count(b.scale.Cases))
				next += step
			}
		},
	}
	t, err := h.Run(ctx, 0, uint64(b.scale.Cases))
	if err != nil {
		return err
	}
	b.tell(ctx, h, "MISSED", t.Misses)
	b.tell(ctx, h, "FALSE ALARM", t.Alarms)
	none := bar{ofAmount, 0}
	b.report.add(measure{work: "cases", unit: number, ours: sample{float64(t.Cases)}})
	b.report.add(measure{work: "  hostile to CPython", unit: number, ours: sample{float64(t.Hostile)}})
	b.report.add(measure{work: "  missed", unit: number, bar: none, ours: sample{float64(len(t.Misses))}})
	b.report.add(measure{work: "  honest", unit: number, ours: sample{float64(t.Honest)}})
	b.report.add(measure{work: "  false alarms", unit: number, bar: none, ours: sample{float64(len(t.Alarms))}})
	if t.Dead > 0 {
		b.warn("CPython did not survive %s of the cases; they were held to be hostile", count(t.Dead))
	}
	if len(t.Unsound) > 0 {
		b.warn("%s cases were made to be honest and are not: %v", count(len(t.Unsound)), t.Unsound[0])
	}
	return nil
}

// tell tells of wrong verdicts, each as short as it can be made.
func (b *bench) tell(ctx context.Context, h *adversary.Hunt, what string, catches []adversary.Catch) {
	for _, c := range catches[:min(len(catches), told)] {
		if what == "MISSED" {
			if short, err := h.Shrink(ctx, c); err == nil {
				c = short
			}
		}
		b.say("%s %v", what, c)
	}
}

func verdictOf(r *scan.Report) string {
	words := []string{r.Verdict.String(), strings.Join(r.Formats, "+")}
	for _, f := range r.Findings[:min(len(r.Findings), 4)] {
		words = append(words, fmt.Sprintf("%s %q at %d", f.Rule.ID, f.What, f.Offset))
	}
	return strings.Join(words, "; ")
}
