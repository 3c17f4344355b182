package inspect

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// maxFindings bounds what is told about one file, and maxWhat how many bytes of
// the file a finding quotes.
const (
	maxFindings = 1000
	maxGlobals  = 10_000
	maxWhat     = 120
	maxTrace    = 64
)

// A Report is what was found out about one file.
type Report struct {
	Path     string           `json:"path"`
	Size     int64            `json:"size"`
	SHA256   sallyport.Digest `json:"sha256,omitempty"`
	Verdict  Verdict          `json:"verdict"`
	Formats  []string         `json:"formats"`           // that its bytes are, most certain first
	Members  int              `json:"members,omitempty"` // files inside it, at any depth
	Globals  []string         `json:"globals,omitempty"` // code that it names: "module name", sorted
	Findings []Finding        `json:"findings,omitempty"`
	Dropped  int              `json:"dropped,omitempty"` // findings and globals beyond what is kept

	model bool
	told  map[told]int // where in Findings
}

// told is what makes two findings one.
type told struct {
	rule         *Rule
	verdict      Verdict
	what, member string
}

// Model reports whether a program may load the file: whether it is of a known
// format that is not only for people. A report that was read back from JSON
// does not know.
func (r *Report) Model() bool { return r.model }

// add keeps a finding, or counts it with an equal one that is kept already.
func (r *Report) add(f Finding) {
	f.What = clean(f.What, maxWhat)
	f.Why = clean(f.Why, 4*maxWhat)
	f.Member = clean(f.Member, 4*maxWhat)
	f.Trace = f.Trace[:min(len(f.Trace), maxTrace)]
	for i := range f.Trace {
		f.Trace[i] = clean(f.Trace[i], maxWhat)
	}
	f.Times = max(f.Times, 1)
	r.Verdict = max(r.Verdict, f.Verdict)
	key := told{f.Rule, f.Verdict, f.What, f.Member}
	if i, ok := r.told[key]; ok {
		r.Findings[i].Times += f.Times
		return
	}
	if len(r.Findings) >= maxFindings {
		r.Dropped++
		return
	}
	if r.told == nil {
		r.told = map[told]int{}
	}
	r.told[key] = len(r.Findings)
	r.Findings = append(r.Findings, f)
}

// sort puts the worst first, and what is equally bad in the order of the file.
func (r *Report) sort() {
	r.told = nil
	slices.Sort(r.Globals)
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return int(b.Verdict) - int(a.Verdict) })
}

// clean makes words of a file safe to print: of at most limit bytes, without
// anything that steers a terminal, turns the direction of writing or is not
// UTF-8.
func clean(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		at := limit
		for at > limit-utf8.UTFMax && !utf8.RuneStart(s[at]) {
			at--
		}
		s = s[:at]
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		q := strconv.QuoteToASCII(s)
		s = q[1 : len(q)-1]
	}
	if cut {
		s += "…"
	}
	return s
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
