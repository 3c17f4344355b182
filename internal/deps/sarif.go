package deps

import (
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/sarif"
)

// WriteSARIF writes a report as SARIF 2.1.0. Each advisory is a rule of its own,
// since GitHub takes from the rule how severe a result is.
func WriteSARIF(w io.Writer, r *Report) error {
	run := sarif.New("deps", r.Version)
	for _, f := range r.Files {
		a := sarif.Artifact{Location: sarif.File(f.Path), Length: -1}
		if f.Digest != "" {
			a.Hashes = map[string]string{"sha-256": f.Digest.Hex()}
		}
		run.Artifacts = append(run.Artifacts, a)
	}
	index := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		id := f.id()
		at, ok := index[id]
		if !ok {
			at = len(run.Tool.Driver.Rules)
			index[id] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, f.rule())
		}
		run.Results = append(run.Results, f.result(at))
	}
	run.Invocations = []sarif.Invocation{{Successful: true}}
	if r.Database != nil {
		run.Properties = sarif.Properties{"advisories": r.Database}
	}
	return sarif.Write(w, run)
}

// id names the rule of a finding.
func (f *Finding) id() string {
	if f.Hit != nil {
		return f.Hit.ID
	}
	return string(f.Rule)
}

func (f *Finding) rule() sarif.Rule {
	info := f.Rule.Info()
	r := sarif.Rule{ID: f.id(), Short: sarif.Text{Text: info.Short}, Help: sarif.Text{Text: info.Help},
		DefaultConfig: sarif.Config{Level: level(info.Verdict)}, Properties: sarif.Properties{"tags": []string{"security", "dependencies"}}}
	h := f.Hit
	if h == nil {
		return r
	}
	if h.Summary != "" {
		r.Short.Text = h.Summary
	}
	r.HelpURI = h.URL
	r.Properties[sarif.SecuritySeverity] = sarif.Severity(scoreOf(h))
	return r
}

// scoreOf is an advisory's score; of one without, the middle of its severity.
// What nobody has rated is shown as high: it is not known to be less.
func scoreOf(h *advisory.Hit) float64 {
	if h.Malicious {
		return 10
	}
	if h.Score > 0 {
		return h.Score
	}
	return map[advisory.Severity]float64{advisory.Low: 2, advisory.Medium: 5.5, advisory.High: 8, advisory.Critical: 9.5, advisory.Unrated: 8}[h.Severity]
}

func level(v Verdict) string {
	switch v {
	case Blocked:
		return sarif.Error
	case Unknown:
		return sarif.Warning
	}
	return sarif.Note
}

func (f *Finding) result(rule int) sarif.Result {
	message := f.What
	if f.Package != "" {
		message = strings.TrimSpace(f.Package+" "+f.Version) + ": " + message
	}
	if f.Try != "" {
		message += ". " + f.Try
	}
	res := sarif.Result{RuleID: f.id(), RuleIndex: rule, Level: level(f.Verdict), Message: sarif.Text{Text: message},
		Fingerprints: sarif.Fingerprint(f.id(), f.Package, f.Version, f.Place.File),
		Properties:   sarif.Properties{"verdict": f.Verdict}}
	if len(f.Path) > 0 {
		res.Properties["path"] = f.Path
	}
	at := sarif.Location{Physical: sarif.Physical{Artifact: sarif.File(f.Place.File), Region: sarif.Line(f.Place.Line)}}
	if f.Package != "" {
		at.Logical = []sarif.Logical{{FullName: strings.TrimSpace(f.Package + " " + f.Version), Kind: "package"}}
	}
	if f.Place.File != "" {
		res.Locations = []sarif.Location{at}
	}
	if d := f.Decided; d != nil {
		res.Level = level(f.Rule.Info().Verdict)
		s := sarif.Accepted(d.Owner + ": " + d.Reason)
		s.Properties = sarif.Properties{"source": d.Source}
		if !d.Expires.IsZero() {
			s.Properties["expires"] = d.Expires
		}
		res.Suppressions = []sarif.Suppression{s}
	}
	return res
}
