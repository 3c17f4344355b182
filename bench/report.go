package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A unit is what is counted.
type unit string

const (
	seconds unit = "seconds"
	bytes   unit = "bytes"
	number  unit = "number"
	share   unit = "share" // of 1
	opRate  unit = "opcodes a second"
	rate    unit = "bytes a second"
)

// A sample holds what each of several rounds took.
type sample []float64

// quantile returns the value that a share q of the rounds stays below, between
// two rounds by their distance from it.
func (s sample) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func (s sample) median() float64 { return s.quantile(0.5) }

// spread is how far rounds lie apart: half of the range that the middle four
// fifths of them fall into, as a share of the median.
func (s sample) spread() float64 {
	if s.median() == 0 {
		return 0
	}
	return (s.quantile(0.9) - s.quantile(0.1)) / 2 / s.median()
}

// A bar is what has to be reached.
type bar struct {
	of    relation
	limit float64
}

type relation int

const (
	nothing  relation = iota // there is no bar; the figure is for information
	ofTime                   // our time is at most limit times the peer's
	ofSpeed                  // our speed is at least limit times the peer's
	ofAmount                 // our figure is at most limit
	ofLeast                  // our figure is at least limit
)

// A measure is one line of the report.
type measure struct {
	work   string
	unit   unit
	bar    bar
	ours   sample
	peer   string // name and version; empty where there is nothing to compare with
	theirs sample // of the same rounds; empty where the peer is missing
}

// figure is what stands for a sample: the median of times, the most of memory.
func (m measure) figure(s sample) float64 {
	if m.unit == bytes {
		return slices.Max(s)
	}
	return s.median()
}

// ratio compares us with the peer, as the bar wants it, or as times where there
// is no bar. It is 0 where there is nothing to compare. Times are compared
// round by round, so that a machine that is slow for a while, which it then is
// for both, does not show.
func (m measure) ratio() float64 {
	if len(m.theirs) == 0 || m.unit == share || m.unit == number {
		return 0
	}
	if m.unit == bytes {
		return m.figure(m.ours) / m.figure(m.theirs)
	}
	var all sample
	for i, ours := range m.ours {
		if m.bar.of == ofSpeed {
			all = append(all, m.theirs[i]/ours)
		} else {
			all = append(all, ours/m.theirs[i])
		}
	}
	return all.median()
}

func (m measure) verdict() string {
	reached := false
	switch {
	case m.bar.of == nothing:
		return ""
	case m.bar.of == ofAmount:
		reached = m.figure(m.ours) <= m.bar.limit
	case m.bar.of == ofLeast:
		reached = m.figure(m.ours) >= m.bar.limit
	case len(m.theirs) == 0:
		return "alone"
	case m.bar.of == ofTime:
		reached = m.ratio() <= m.bar.limit
	case m.bar.of == ofSpeed:
		reached = m.ratio() >= m.bar.limit
	}
	if reached {
		return "ok"
	}
	return "MISSED"
}

func (m measure) barText() string {
	switch m.bar.of {
	case ofTime:
		return fmt.Sprintf("≤ %g×", m.bar.limit)
	case ofSpeed:
		return fmt.Sprintf("≥ %g×", m.bar.limit)
	case ofAmount:
		return "≤ " + text(m.unit, m.bar.limit)
	case ofLeast:
		return "≥ " + strings.Replace(text(m.unit, m.bar.limit), " GB", "G", 1) // or it is too wide
	}
	return ""
}

// A scale says how much of everything is measured.
type scale struct {
	Table   int64 `json:"table_bytes"`
	Files   int   `json:"files"`
	Starts  int   `json:"starts"`
	Rounds  int   `json:"rounds"` // of csv and tree
	Spins   int   `json:"python_rounds"`
	Appends int   `json:"appends"`
	Entries int   `json:"ledger_entries"`
	Dense   int   `json:"dense_opcodes"` // of scan-dense's pickle
	Large   int64 `json:"large_bytes"`   // of each file of scan-large
	Hostile int   `json:"hostile"`       // files of scan-hostile that are made
	Cases   int   `json:"cases"`         // of adversary

	Subjects int `json:"erase_subjects"`
	Versions int `json:"erase_versions"`

	Bills int `json:"deps_bills"` // environments that deps checks again
}

var (
	full = scale{Table: 1e9, Files: 100_000, Starts: 300, Rounds: 3, Spins: 61, Appends: 2000, Entries: 100_000,
		Dense: 5_200_000, Large: 1 << 30, Hostile: 400, Cases: 1_000_000,
		Subjects: 1_000_000, Versions: 100, Bills: 10_000}
	quick = scale{Table: 64e6, Files: 5_000, Starts: 50, Rounds: 1, Spins: 9, Appends: 200, Entries: 5_000,
		Dense: 260_000, Large: 32 << 20, Hostile: 60, Cases: 10_000,
		Subjects: 20_000, Versions: 100, Bills: 500}
)

// A machine is what the figures were taken on. They mean little anywhere else.
type machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Memory   int64             `json:"memory"` // bytes
	Kernel   string            `json:"kernel"`
	User     string            `json:"user"` // root or ordinary
	Disk     string            `json:"disk"` // the file system of the work folder
	Go       string            `json:"go"`
	Busy     float64           `json:"busy"`     // share of the processors that others used meanwhile
	Programs map[string]string `json:"programs"` // compared with, and their versions
}

func (m machine) print(b *strings.Builder) {
	fmt.Fprintf(b, "machine  %s, %d cores, %s\n", m.CPU, m.Cores, text(bytes, float64(m.Memory)))
	fmt.Fprintf(b, "system   Linux %s, %s file system, %s user, %s\n", m.Kernel, m.Disk, m.User, m.Go)
	for _, name := range slices.Sorted(maps.Keys(m.Programs)) {
		fmt.Fprintf(b, "%-8s %s\n", name, m.Programs[name])
	}
}

// A report is all that was found.
type report struct {
	Machine  machine
	Quick    bool
	Scale    scale
	Measures []measure
	Notes    []string
}

func (r *report) add(m measure) { r.Measures = append(r.Measures, m) }

// print writes the report for people, 80 columns wide.
func (r *report) print(w io.Writer) error {
	var b strings.Builder
	r.Machine.print(&b)
	const row = "%-23s %13s %20s %5s %8s %s"
	line := func(cells ...any) {
		b.WriteString(strings.TrimRight(fmt.Sprintf(row, cells...), " ") + "\n")
	}
	b.WriteString("\n")
	line("WORK", "SALLYPORT", "PEER", "RATIO", "BAR", "")
	missed := 0
	for _, m := range r.Measures {
		peer, ratio := "", ""
		if len(m.theirs) > 0 {
			name, _, _ := strings.Cut(m.peer, " ")
			if peer = name + " " + m.cell(m.theirs); utf8.RuneCountInString(peer) > 20 {
				peer = name + " " + text(m.unit, m.figure(m.theirs)) // a long name leaves no room for the spread
			}
		}
		if r := m.ratio(); r > 0 {
			ratio = fmt.Sprintf("%.*f×", precision(r), r)
		}
		if m.verdict() == "MISSED" {
			missed++
		}
		line(m.work, m.cell(m.ours), peer, ratio, m.barText(), m.verdict())
	}
	b.WriteString("\n≤ n× compares times, ≥ n× speeds. Times and ratios are medians of the rounds, ±\nsays where four fifths of them lie; memory is the peak of all rounds.\n")
	for _, n := range r.Notes {
		b.WriteString("!!! " + n + "\n")
	}
	switch {
	case r.Quick:
		b.WriteString("This was -quick: too little of everything to judge speed by.\n")
	case missed > 0:
		fmt.Fprintf(&b, "MISSED: %d.\n", missed)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// precision is how many digits of a ratio behind the point say anything.
func precision(ratio float64) int {
	if ratio >= 100 {
		return 0
	}
	return 2
}

func (m measure) cell(s sample) string {
	if m.unit == bytes || len(s) == 1 {
		return text(m.unit, m.figure(s))
	}
	percent := 100 * s.spread()
	digits := 0
	if percent < 0.95 && m.unit == seconds {
		digits = 1
	}
	return fmt.Sprintf("%s ±%.*f%%", text(m.unit, m.figure(s)), digits, percent)
}

// text writes a figure with three digits that count.
func text(u unit, v float64) string {
	var names []string
	switch u {
	case number:
		return count(int(v))
	case share:
		return fmt.Sprintf("%g %%", math.Floor(v*1e4)/100) // 100 % is all
	case seconds:
		names = []string{"ns", "µs", "ms", "s"}
		v *= 1e9
	case bytes:
		names = []string{"B", "kB", "MB", "GB"}
	case opRate:
		names = []string{"/s", "k/s", "M/s", "G/s"}
	case rate:
		names = []string{"B/s", "kB/s", "MB/s", "GB/s"}
	}
	for len(names) > 1 && v >= 999.5 {
		v, names = v/1000, names[1:]
	}
	digits := 0
	switch {
	case v < 9.995:
		digits = 2
	case v < 99.95:
		digits = 1
	}
	number := fmt.Sprintf("%.*f", digits, v)
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + names[0]
}

// count writes a number with its thousands apart: 100,000.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// encode writes the report for programs.
func (r *report) encode(w io.Writer) error {
	type figures struct {
		Name    string  `json:"name,omitempty"`
		Figure  float64 `json:"figure"`
		Spread  float64 `json:"spread"`
		Samples sample  `json:"samples"`
	}
	type line struct {
		Work      string   `json:"work"`
		Unit      unit     `json:"unit"`
		Sallyport figures  `json:"sallyport"`
		Peer      *figures `json:"peer,omitempty"`
		Ratio     float64  `json:"ratio,omitempty"`
		Bar       string   `json:"bar,omitempty"`
		Verdict   string   `json:"verdict,omitempty"`
	}
	lines := []line{}
	for _, m := range r.Measures {
		l := line{Work: m.work, Unit: m.unit, Sallyport: figures{"", m.figure(m.ours), m.ours.spread(), m.ours},
			Ratio: m.ratio(), Bar: m.barText(), Verdict: m.verdict()}
		if len(m.theirs) > 0 {
			l.Peer = &figures{m.peer, m.figure(m.theirs), m.theirs.spread(), m.theirs}
		}
		lines = append(lines, l)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"machine": r.Machine, "quick": r.Quick, "scale": r.Scale, "measures": lines, "notes": r.Notes})
}
