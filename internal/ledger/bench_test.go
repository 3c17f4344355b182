package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkAppend appends one entry durably. The median is what a command
// waits; the mean counts the fsyncs of everybody else on the disk.
func BenchmarkAppend(b *testing.B) {
	s := newSite(b)
	s.many(b, 10_000)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		s.put(b, "run", fmt.Sprint(len(took)), "a document of a few dozen bytes, as a run has more")
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median/op")
}

// BenchmarkVerify100k verifies 100,000 entries, half of them about an object
// that a later entry replaces.
func BenchmarkVerify100k(b *testing.B) {
	s := newSite(b)
	const total, batch = 100_000, 10_000
	for from := 0; from < total; from += batch {
		s.update(b, func(tx *Tx) error {
			for i := from; i < from+batch; i++ {
				if _, err := tx.Put("run.put", "run", fmt.Sprint(i/2), i, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for b.Loop() {
		if r := s.verify(b); r.Size != total {
			b.Fatalf("%d entries", r.Size)
		}
	}
}

// BenchmarkGet reads one proven object out of 10,000.
func BenchmarkGet(b *testing.B) {
	s := newSite(b)
	s.many(b, 10_000)
	for i := 0; b.Loop(); i++ {
		err := s.log.View(b.Context(), func(tx *Tx) error {
			var n int
			return tx.Get("k", fmt.Sprint(i%10_000), &n)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
