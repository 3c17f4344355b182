// Package adversary attacks the scanner of pickles with streams that it makes
// up, and finds out from CPython what each of them does.
//
// A Generator yields any number of cases, each a function of a seed and its
// number alone: a name that has no place in a model, or only looks as if it
// had one, or nothing bad at all; a way to get a name onto the stack, a way to
// use it, memo tricks, frames, noise, breaks, containers and mutations around
// it. An Oracle has every unpickler of CPython read the streams, in a sandbox
// and with a class in the place of each name. Hunt holds the scanner's verdicts
// against what the unpicklers asked for.
//
// The package is for tests and measurements.
package adversary

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// An Intent says what a case was made to be. What it is says the oracle.
type Intent uint8

const (
	Hostile Intent = iota // it names code, or changes some, that has no place in a model
	Honest                // it is as the libraries write it, and harmless
)

// A Case is one file to judge.
type Case struct {
	Number uint64
	Intent Intent
	Made   []string // how, a word for each choice: "name: INST"
	Name   string   // of the file
	Stream []byte   // the pickle, or several in a row
	File   []byte   // the file, which is the stream or holds it
	Kind   Kind     // how the oracle finds the pickle in what it is given

	damaged  bool // the file was changed after the stream was put in
	promised bool // the file says that a pickle is in it
}

// String says how a case was made.
func (c Case) String() string {
	return fmt.Sprintf("case %d, %s (%s)", c.Number, c.Name, strings.Join(c.Made, "; "))
}

// question is what the oracle is to read: the stream, or the file where that
// was changed.
func (c *Case) question() Question {
	if c.damaged {
		return Question{c.Kind, c.File}
	}
	if c.Kind == Bzip2 {
		return Question{Bzip2, c.Stream}
	}
	return Question{Raw, c.Stream}
}

// A Generator makes cases. It is safe for concurrent use.
type Generator struct {
	Seed uint64
}

// At makes case n.
func (g Generator) At(n uint64) Case {
	w := &writer{Rand: rand.New(rand.NewPCG(g.Seed, n)), memo: map[int]bool{}, named: map[target]int{}}
	c := Case{Number: n}
	switch kind := w.IntN(12); {
	case kind < 3:
		c.Intent = Honest
		c.Stream = w.honest()
	case kind == 3:
		c.Stream = w.mutate(w.honest())
	default:
		c.Stream = w.hostile()
	}
	w.contain(&c)
	c.Made = w.made
	return c
}

// hostile makes a stream with a payload in it, and does to it what might hide it.
func (w *writer) hostile() []byte {
	w.proto = w.IntN(6)
	w.header()
	w.begin()
	w.noise()
	w.nest(w.IntN(4), w.payload)
	w.noise()
	w.op('.')
	stream := w.frame()
	stream = w.broken(stream)
	if w.IntN(4) == 0 {
		stream = w.mutate(stream)
	}
	return stream
}

// honest makes a stream such as Python's own pickler makes.
func (w *writer) honest() []byte {
	w.faithful = true
	w.proto = w.IntN(6)
	w.header()
	w.begin()
	w.object(3)
	w.op('.')
	if w.proto < 4 {
		return w.b
	}
	return w.framed([]int{len(w.b)})
}
