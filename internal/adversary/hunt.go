package adversary

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"
)

// A Judge is the scanner: it says whether a file passes, and why or why not.
type Judge func(ctx context.Context, name string, data []byte) (passes bool, why string, err error)

// A Catch is a case that the scanner judged wrongly.
type Catch struct {
	Case   Case
	Answer Answer
	Why    string // what the scanner said
}

// String tells all that there is to find out why.
func (c Catch) String() string {
	return fmt.Sprintf("%v\n  asked for %q, changed %q, loaded %d %s\n  scanner: %s\n  stream %x\n", c.Case, c.Answer.Asked, c.Answer.Built,
		c.Answer.Loaded, c.Answer.Error, c.Why, c.Case.Stream)
}

// A Tally is what a hunt found.
type Tally struct {
	Cases   int
	Hostile int // asked CPython for a name that honest files have no use for, or changed one
	Honest  int // made as the libraries do it, and found harmless
	Blocked int // of all
	Texts   int // asked for a name that nobody knows, and are text such as people write
	Dead    int // the unpickler did not survive it, and it is known only that the scanner blocked it
	Misses  []Catch
	Alarms  []Catch // honest, and blocked
	Unsound []Case  // made to be honest, and not found to be: a fault of the generator
	Made    map[string]int
}

// most is how many catches of a kind are kept.
const most = 1000

// A Hunt holds a scanner's verdicts against an oracle's answers.
type Hunt struct {
	Generator Generator
	Oracle    *Oracle
	Judge     Judge
	Batch     int            // cases for one start of the oracle; 0: 4000
	Workers   int            // that work at one time; 0: 2
	Progress  func(done int) // may be nil
}

// Run makes cases from one number up to another, which is left out, and judges
// them.
func (h *Hunt) Run(ctx context.Context, from, to uint64) (*Tally, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batch := uint64(max(1, h.Batch))
	if h.Batch == 0 {
		batch = 4000
	}
	starts := make(chan uint64)
	go func() {
		defer close(starts)
		for ; from < to; from += batch {
			select {
			case starts <- from:
			case <-ctx.Done():
				return
			}
		}
	}()
	total := &Tally{Made: map[string]int{}}
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range max(1, h.workers()) {
		workers.Go(func() {
			for at := range starts {
				t, err := h.batch(ctx, at, min(at+batch, to))
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				total.add(t)
				if h.Progress != nil {
					h.Progress(total.Cases)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return total, context.Cause(ctx)
}

func (h *Hunt) workers() int {
	if h.Workers == 0 {
		return 2
	}
	return h.Workers
}

func (h *Hunt) batch(ctx context.Context, from, to uint64) (*Tally, error) {
	var cases []Case
	var questions []Question
	for n := from; n < to; n++ {
		c := h.Generator.At(n)
		cases, questions = append(cases, c), append(questions, c.question())
	}
	answers, err := h.Oracle.Ask(ctx, questions)
	if err != nil {
		return nil, err
	}
	t := &Tally{Made: map[string]int{}}
	for i, c := range cases {
		if len(answers[i].Packed) > 0 {
			c.File = answers[i].Packed
		}
		passes, why, err := h.Judge(ctx, c.Name, c.File)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", c, err)
		}
		t.count(Catch{c, answers[i], why}, passes)
	}
	return t, nil
}

// hostile reports whether a file does what no honest one does.
func (a Answer) hostile() bool {
	for _, n := range a.Asked {
		if !harmless[target{n.Module, n.Name}] {
			return true
		}
	}
	return len(a.Built) > 0
}

// idle reports whether the unpicklers did no more than to ask for names, none of
// them a known one, before they stopped at a fault. All that can come of it is
// that a module is imported which nobody has, unless it lies beside the file:
// then it is judged as what it is, a program.
func (a Answer) idle() bool {
	return a.Called|a.Loaded|len(a.Built) == 0 && !slices.ContainsFunc(a.Asked, func(n Name) bool {
		return slices.Contains(commands, target{n.Module, n.Name})
	})
}

// text reports whether a file is text that Python takes for a pickle of the
// oldest protocols, and nothing around it says that it is one.
func (c Case) text() bool {
	return !c.promised && utf8.Valid(c.Stream) && bytes.IndexByte(c.Stream, 0) < 0
}

// harmful reports whether a case is to be blocked: it is hostile, and not merely
// text, of which all that begins with c asks for a name.
func (c Catch) harmful() bool { return c.Answer.hostile() && !(c.Case.text() && c.Answer.idle()) }

func (t *Tally) count(c Catch, passes bool) {
	t.Cases++
	for _, m := range c.Case.Made {
		t.Made[m]++
	}
	if !passes {
		t.Blocked++
	}
	switch {
	case c.Answer.Dead:
		t.Dead++
		if passes {
			t.Misses = append(t.Misses, c)
		}
	case c.harmful():
		t.Hostile++
		if passes {
			t.Misses = append(t.Misses, c)
		}
	case c.Answer.hostile():
		t.Texts++
	case c.Case.Intent != Honest:
	case c.Answer.Loaded&7 != 7:
		t.Unsound = append(t.Unsound, c.Case)
	default:
		t.Honest++
		if !passes {
			t.Alarms = append(t.Alarms, c)
		}
	}
}

func (t *Tally) add(o *Tally) {
	t.Cases += o.Cases
	t.Hostile += o.Hostile
	t.Honest += o.Honest
	t.Blocked += o.Blocked
	t.Texts += o.Texts
	t.Dead += o.Dead
	t.Misses = keep(t.Misses, o.Misses)
	t.Alarms = keep(t.Alarms, o.Alarms)
	t.Unsound = keep(t.Unsound, o.Unsound)
	for m, n := range o.Made {
		t.Made[m] += n
	}
}

func keep[T any](have, more []T) []T {
	have = append(have, more...)
	return have[:min(len(have), most)]
}

// Hostile makes n pickles that the oracle finds hostile, and that lie in no
// container.
func (g Generator) Hostile(ctx context.Context, o *Oracle, n int) ([][]byte, error) {
	var pickles [][]byte
	for next := uint64(0); len(pickles) < n; {
		var questions []Question
		for len(questions) < 2*n {
			c := g.At(next)
			next++
			if c.Intent == Hostile && c.Kind == Raw && bytes.Equal(c.File, c.Stream) {
				questions = append(questions, c.question())
			}
		}
		answers, err := o.Ask(ctx, questions)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			if a.hostile() && len(pickles) < n {
				pickles = append(pickles, questions[i].Data)
			}
		}
	}
	return pickles, nil
}
