package run

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// checkDeps checks what the environment holds before anything of it runs. What
// the check comes to stands in the record, is signed, and is for the doors to
// judge; only a package that is known to be an attack ends the run here, since
// what follows would give it real records.
func (s *Service) checkDeps(ctx context.Context, p *plan, read func(string) ([]byte, error), watch Watch) error {
	policy, err := deps.ReadPolicy(read, p.project.Name)
	if err != nil {
		return err
	}
	bill, err := s.Bill(ctx, p.env)
	if err != nil {
		return err
	}
	if p.record.Deps, err = s.Deps.Check(ctx, &bill.List, policy, bill.Problems); err != nil {
		return err
	}
	if v := p.record.Deps.Verdict; v != deps.Passed {
		watch.note(fmt.Sprintf("the check of its dependencies says %s: see sallyport deps check", v))
	}
	for _, f := range p.record.Deps.Findings {
		if f.Rule == deps.Malicious && f.Verdict == deps.Blocked {
			return sallyport.Errorf(sallyport.Refused, "%s %s is known to be an attack: %s", f.Package, f.Version, f.Hit.ID).At("%s", p.project.Python).Try("%s", f.Try)
		}
	}
	return nil
}

// CheckAgain checks what a run was executed with by what is known today, and by
// the decisions that its own code held. It is what a door asks before it lets
// something of the run out; the run's record says what was known then. A run
// without an environment passes.
func (s *Service) CheckAgain(ctx context.Context, r *Record) (*deps.Report, error) {
	if r.Environment == nil {
		return s.Deps.Check(ctx, &lockfile.List{}, nil, nil)
	}
	policy, err := deps.ReadPolicy(func(name string) ([]byte, error) { return s.codeFile(ctx, r, name) }, r.Project)
	if err != nil {
		return nil, err
	}
	var e env.Environment
	if err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("environment", r.Environment.ID, &e) }); err != nil {
		return nil, err
	}
	bill, err := s.Bill(ctx, &e)
	if err != nil {
		return nil, err
	}
	return s.Deps.Check(ctx, &bill.List, policy, bill.Problems)
}

// Bill returns what an environment is made of (object "bill"): every package,
// and the native libraries inside of them. It is read once, when the environment
// has been built: from then on its files are held by the digest of its tree.
func (s *Service) Bill(ctx context.Context, e *env.Environment) (*installed.Result, error) {
	var bill installed.Result
	err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("bill", e.ID, &bill) })
	if !sallyport.Is(err, sallyport.NotFound) {
		return &bill, err
	}
	root, err := os.OpenRoot(s.Envs.Root(e))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	read, err := installed.Read(ctx, root.FS())
	if err != nil {
		return nil, err
	}
	return read, s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put("environment.billed", "bill", e.ID, read, nil)
		return err
	})
}

// attestDeps signs what the check of a run's dependencies came to. A run without
// an environment has none, and passed.
func (s *Service) attestDeps(r *Record, files []evidence.File) ([]byte, error) {
	v := evidence.Vulns{Invocation: "run/" + r.ID, Verdict: string(deps.Passed),
		Metadata: evidence.ScanMetadata{Started: r.Started, Finished: r.Started}}
	v.Scanner.Version = r.Host.Sallyport
	if r.Environment != nil {
		v.Environment, v.Verdict = r.Environment.Tree, string(deps.Unknown) // unless it was checked
	}
	if r.Deps != nil {
		v.Verdict, v.Packages = string(r.Deps.Verdict), r.Deps.Packages
		v.Metadata = evidence.ScanMetadata{Started: r.Deps.Checked, Finished: r.Deps.Checked}
		if err := describeCheck(&v, r.Deps); err != nil {
			return nil, err
		}
	}
	statement, err := evidence.AttestVulns(v, files)
	if err != nil {
		return nil, err
	}
	return s.seal(statement)
}

// describeCheck tells a check's findings: all of them as they are, and those that
// are of an advisory in the standard's own terms too, unless they were decided.
func describeCheck(v *evidence.Vulns, r *deps.Report) error {
	if n := r.Database; n != nil {
		v.Scanner.DB = evidence.ScannerDB{URI: string(n.Digest), Version: strconv.FormatInt(n.Serial, 10), LastUpdate: n.AsOf.UTC().Truncate(time.Second)}
	}
	for _, f := range r.Findings {
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		v.Findings = append(v.Findings, text)
		if f.Hit == nil || f.Decided != nil {
			continue
		}
		found := evidence.VulnFound{ID: f.Hit.ID, Severity: []evidence.VulnScore{{Method: "qualitative", Score: f.Hit.Severity.String()}}}
		if f.Hit.Score > 0 {
			found.Severity = append(found.Severity, evidence.VulnScore{Method: "cvss_score", Score: strconv.FormatFloat(f.Hit.Score, 'f', 1, 64)})
		}
		found.Annotations = []map[string]any{{"package": f.Package}, {"version": f.Version}, {"aliases": f.Hit.Aliases}}
		v.Scanner.Result = append(v.Scanner.Result, found)
	}
	return nil
}
