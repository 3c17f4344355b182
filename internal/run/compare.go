package run

import (
	"bufio"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/sallyport/sallyport"
)

// A Comparison says what a reproduction has in common with the run that it
// reproduces.
type Comparison struct {
	Run       string       `json:"run"` // what was reproduced
	Identical bool         `json:"identical"`
	Artefacts int          `json:"artefacts"` // how many were compared
	Metrics   int          `json:"metrics"`
	Differ    []Difference `json:"differ,omitempty"`  // artefacts first, each sorted by name
	Changed   []string     `json:"changed,omitempty"` // what could not be made the same beforehand: "python 3.11.7 → 3.12.1"
}

// A Difference is an artefact or a metric that did not come out the same.
type Difference struct {
	Artefact string `json:"artefact,omitempty"`
	Metric   string `json:"metric,omitempty"`

	Missing string `json:"missing,omitempty"` // "before" or "now": only the other run has it

	Before float64 `json:"before"` // of a metric
	Now    float64 `json:"now"`

	Bytes int64 `json:"bytes"` // of an artefact: how many bytes differ, a longer end included
	First int64 `json:"first"` // offset of the first
	Size  int64 `json:"size"`  // the longer of the two
}

// compare compares the outputs and metrics of two runs.
func (s *Service) compare(ctx context.Context, before, after *Record) (*Comparison, error) {
	c := &Comparison{Run: before.ID, Changed: changed(before, after)}
	old, made := byPath(before), byPath(after)
	for _, p := range slices.Sorted(maps.Keys(union(old, made))) {
		a, hadA := old[p]
		b, hadB := made[p]
		c.Artefacts++
		switch {
		case !hadA:
			c.Differ = append(c.Differ, Difference{Artefact: p, Missing: "before"})
		case !hadB:
			c.Differ = append(c.Differ, Difference{Artefact: p, Missing: "now"})
		case a.Digest != b.Digest:
			d, err := s.difference(ctx, a, b)
			if err != nil {
				return nil, err
			}
			c.Differ = append(c.Differ, d)
		}
	}
	c.Differ = append(c.Differ, compareMetrics(before.Metrics(), after.Metrics())...)
	c.Metrics = len(union(before.Metrics(), after.Metrics()))
	c.Identical = len(c.Differ) == 0
	return c, nil
}

func compareMetrics(before, after map[string]float64) []Difference {
	var out []Difference
	for _, k := range slices.Sorted(maps.Keys(union(before, after))) {
		a, hadA := before[k]
		b, hadB := after[k]
		switch {
		case !hadA:
			out = append(out, Difference{Metric: k, Missing: "before", Now: b})
		case !hadB:
			out = append(out, Difference{Metric: k, Missing: "now", Before: a})
		case a != b:
			out = append(out, Difference{Metric: k, Before: a, Now: b})
		}
	}
	return out
}

// difference reads two artefacts side by side.
func (s *Service) difference(ctx context.Context, a, b Artefact) (Difference, error) {
	d := Difference{Artefact: a.Path, Size: max(a.Size, b.Size), First: -1}
	ra, err := s.open(ctx, a.Stored)
	if err != nil {
		return d, err
	}
	defer ra.Close()
	rb, err := s.open(ctx, b.Stored)
	if err != nil {
		return d, err
	}
	defer rb.Close()
	ba, bb := bufio.NewReaderSize(ra, 256<<10), bufio.NewReaderSize(rb, 256<<10)
	for at := int64(0); at < min(a.Size, b.Size); at++ {
		x, err := ba.ReadByte()
		if err != nil {
			return d, noEOF(err)
		}
		y, err := bb.ReadByte()
		if err != nil {
			return d, noEOF(err)
		}
		if x != y {
			d.Bytes++
			if d.First < 0 {
				d.First = at
			}
		}
	}
	d.Bytes += max(a.Size, b.Size) - min(a.Size, b.Size)
	if d.First < 0 {
		d.First = min(a.Size, b.Size)
	}
	return d, nil
}

// noEOF turns an end that came too early into the corruption that it is.
func noEOF(err error) error {
	if err == io.EOF {
		return sallyport.Errorf(sallyport.Corrupt, "an artefact is shorter than its record says")
	}
	return err
}

// changed lists the parts of the surroundings that differ, for a person who
// wonders why the outputs do.
func changed(a, b *Record) []string {
	var out []string
	say := func(what, before, after string) {
		if before != after {
			out = append(out, what+" "+before+" → "+after)
		}
	}
	if a.Environment != nil && b.Environment != nil {
		say("python", a.Environment.Python, b.Environment.Python)
		say("installed files", a.Environment.Tree.Short(), b.Environment.Tree.Short())
	}
	for i := range min(len(a.Data), len(b.Data)) {
		say("records of "+a.Data[i].Path, a.Data[i].Selection.Short(), b.Data[i].Selection.Short())
	}
	say("processor", a.Host.CPU, b.Host.CPU)
	say("cores", strconv.Itoa(a.Host.Cores), strconv.Itoa(b.Host.Cores))
	say("architecture", a.Host.Arch, b.Host.Arch)
	say("kernel", a.Host.Kernel, b.Host.Kernel)
	say("sallyport", a.Host.Sallyport, b.Host.Sallyport)
	return out
}

func byPath(r *Record) map[string]Artefact {
	m := map[string]Artefact{}
	for _, a := range r.Outputs() {
		m[a.Path] = a
	}
	return m
}

func union[V any](a, b map[string]V) map[string]V {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}
