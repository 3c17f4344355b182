package scan

import (
	"fmt"
	"io"

	"github.com/sallyport/sallyport/internal/sarif"
)

// WriteSARIF writes reports as SARIF 2.1.0. Version is that of the program.
// Failed lists files that could not be read, and why.
//
// A finding's place is a byte in a file that has no lines; GitHub shows only
// results with a line, so the line is 1 and the byte stands beside it, for the
// file itself. A place within a member is a logical location.
func WriteSARIF(w io.Writer, version string, reports []*Report, failed []error) error {
	run := sarif.New("scan", version)
	index := map[string]int{}
	for i, r := range Rules() {
		index[r.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, describe(r))
	}
	for _, r := range reports {
		a := sarif.Artifact{Location: sarif.File(r.Path), Length: r.Size}
		if r.SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": r.SHA256.Hex()}
		}
		run.Artifacts = append(run.Artifacts, a)
		for i := range r.Findings {
			run.Results = append(run.Results, result(r, &r.Findings[i], index))
		}
	}
	run.Invocations = []sarif.Invocation{sarif.Failed(failed)}
	return sarif.Write(w, run)
}

func describe(r *Rule) sarif.Rule {
	tags := []string{"security", "machine-learning"}
	if r.CWE > 0 {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%03d", r.CWE))
	}
	return sarif.Rule{
		ID: r.ID, Short: sarif.Text{Text: r.Title}, Help: sarif.Text{Text: "What to do: " + r.Mend + "."},
		DefaultConfig: sarif.Config{Level: sarif.Error},
		Properties:    sarif.Properties{"tags": tags, "precision": "high", sarif.SecuritySeverity: "8.0"},
	}
}

func result(r *Report, f *Finding, index map[string]int) sarif.Result {
	why := f.What + ": " + f.Why
	if f.Member != "" {
		why += " (in " + f.Member + ")"
	}
	out := sarif.Result{
		RuleID: f.Rule.ID, RuleIndex: index[f.Rule.ID], Level: level(f.Verdict), Message: sarif.Text{Text: why},
		Locations: []sarif.Location{{Physical: sarif.Physical{Artifact: sarif.File(r.Path), Region: sarif.Line(1)}}},
		// The rule and the thing in these very bytes: stable while the file is.
		Fingerprints: sarif.Fingerprint(r.SHA256.Hex(), f.Key(), f.Member),
		Properties:   sarif.Properties{"verdict": f.Verdict, "times": f.Times, "mend": f.Advice()},
	}
	if f.Offset >= 0 {
		out.Properties["offset"] = f.Offset
	}
	loc := &out.Locations[0]
	if f.Member != "" {
		loc.Logical = []sarif.Logical{{FullName: f.Member, Kind: "member"}}
	} else if f.Offset >= 0 {
		loc.Physical.Region.ByteOffset = &f.Offset
	}
	if len(f.Trace) > 0 {
		out.Properties["trace"] = f.Trace
	}
	if f.Waiver != "" {
		out.Suppressions = []sarif.Suppression{sarif.Accepted("waived by " + f.Waiver)}
	}
	return out
}

func level(v Verdict) string {
	switch {
	case v >= Suspicious:
		return sarif.Error
	case v == Inconclusive:
		return sarif.Warning
	}
	return sarif.Note
}
