package deps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/lockfile"
)

func TestCheck(t *testing.T) {
	hash := " --hash=sha256:" + strings.Repeat("a", 64)
	for _, c := range []struct {
		name    string
		files   map[string]string
		policy  map[string]string
		age     time.Duration // of the advisories
		none    bool          // no advisories at all
		verdict Verdict
		want    []string // "verdict rule package", in order; of those that are advice, no order is promised
	}{
		{name: "nothing", files: map[string]string{"requirements.txt": ""}, verdict: Passed},
		{name: "nothing, and no advisories", files: map[string]string{"requirements.txt": ""}, none: true, verdict: Passed},
		{name: "good", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, verdict: Passed},
		{name: "vulnerable", files: map[string]string{"requirements.txt": "oldlib==1.0" + hash}, verdict: Blocked, want: []string{"blocked vulnerable oldlib"}},
		{name: "a local build", files: map[string]string{"requirements.txt": "oldlib==1.0+cu118" + hash}, verdict: Blocked, want: []string{"blocked vulnerable oldlib"}},
		{name: "an attack first", files: map[string]string{"requirements.txt": "evil==9" + hash + "\noldlib==1.0" + hash},
			verdict: Blocked, want: []string{"blocked malicious evil", "blocked vulnerable oldlib"}},
		{name: "no hash", files: map[string]string{"requirements.txt": "oldlib==2"}, verdict: Passed, want: []string{"passed unhashed oldlib"}},
		{name: "a range", files: map[string]string{"requirements.txt": "oldlib>=1"}, verdict: Unknown, want: []string{"unknown unread oldlib"}},
		{name: "a bad version", files: map[string]string{"requirements.txt": "oldlib==1.x" + hash}, verdict: Unknown, want: []string{"unknown unread oldlib"}},
		{name: "no advisories", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, none: true, verdict: Unknown, want: []string{"unknown stale "}},
		{name: "a week old", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, age: 8 * day, verdict: Passed, want: []string{"passed stale "}},
		{name: "a month old", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, age: 31 * day, verdict: Unknown, want: []string{"unknown stale "}},
		{name: "from the future", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, age: -2 * day, verdict: Unknown, want: []string{"unknown stale "}},
		{name: "old by the policy", files: map[string]string{"requirements.txt": "oldlib==1.1" + hash}, age: 3 * day, verdict: Unknown,
			policy: map[string]string{PolicyFile: "warn-after: 1d\nfail-after: 2d\n"}, want: []string{"unknown stale "}},
		{name: "two indexes", files: map[string]string{"requirements.txt": "--extra-index-url https://other.example/simple\noldlib==1.1"},
			verdict: Blocked, want: []string{"blocked confusion ", "passed unhashed oldlib"}},
		{name: "two indexes and hashes", files: map[string]string{"requirements.txt": "--extra-index-url https://other.example/simple\noldlib==1.1" + hash},
			verdict: Passed, want: []string{"passed confusion "}},
		{name: "an index that is not on the list", files: map[string]string{"requirements.txt": "-i https://other.example/simple\noldlib==1.1" + hash},
			policy: map[string]string{PolicyFile: "indexes: [https://pypi.org/simple]"}, verdict: Blocked, want: []string{"blocked foreign "}},
		{name: "an archive from elsewhere", files: map[string]string{"requirements.txt": "oldlib @ https://other.example/oldlib-1.1-py3-none-any.whl" + hash},
			policy: map[string]string{PolicyFile: "indexes: [https://pypi.org/simple]"}, verdict: Blocked, want: []string{"blocked foreign oldlib"}},
		{name: "the default index, which is not on the list", files: map[string]string{"pylock.toml": "lock-version = \"1.0\"\n[[packages]]\nname = \"oldlib\"\nversion = \"1.1\"\n" +
			"wheels = [{url = \"https://files.example/oldlib-1.1-py3-none-any.whl\", hashes = {sha256 = \"" + strings.Repeat("a", 64) + "\"}}]\n"},
			policy: map[string]string{PolicyFile: "indexes: [https://own.example/simple]"}, verdict: Blocked, want: []string{"blocked foreign oldlib"}},
		{name: "an index that is", files: map[string]string{"requirements.txt": "-i https://pypi.org/simple/\noldlib==1.1" + hash},
			policy: map[string]string{PolicyFile: "indexes: [https://pypi.org/simple]"}, verdict: Passed},
		{name: "a name like another", files: map[string]string{"requirements.txt": "reqeusts==2.32.3" + hash}, verdict: Passed, want: []string{"passed lookalike reqeusts"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := policy(c.policy)
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Now: today, Policy: p}
			if !c.none {
				o.Advisories = advisories(t, records, today.Add(-c.age))
			}
			r, err := Check(context.Background(), list(t, c.files), o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%s %s %s", f.Verdict, f.Rule, f.Package))
				if f.What == "" || f.Verdict != Passed && f.Try == "" {
					t.Errorf("says too little: %+v", f)
				}
			}
			if r.Verdict != c.verdict || !slices.Equal(got, c.want) {
				t.Errorf("%s %q, want %s %q", r.Verdict, got, c.verdict, c.want)
			}
			kind := map[Verdict]sallyport.Kind{Blocked: sallyport.Refused, Unknown: sallyport.Unknown}[c.verdict]
			if err := r.Err(); (err == nil) != (c.verdict == Passed) || err != nil && sallyport.KindOf(err) != kind {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

// TestInstalledNeedNoHash: what is there already is held against its RECORD.
func TestInstalledNeedNoHash(t *testing.T) {
	l := &lockfile.List{Files: []lockfile.File{{Path: "lib/python3.12/site-packages", Format: lockfile.Installed}},
		Packages: []lockfile.Package{{Name: "oldlib", Version: "1.1", Place: lockfile.Place{File: "lib/python3.12/site-packages/oldlib-1.1.dist-info/METADATA"}}}}
	r, err := Check(context.Background(), l, Options{Now: today, Advisories: advisories(t, records, today)})
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestProblems wants every problem of installed files to be a finding, and those
// that mean that files are not what they were to keep a check from passing.
func TestProblems(t *testing.T) {
	for rule, want := range map[installed.Rule]Verdict{
		installed.Altered: Blocked, installed.Missing: Blocked, installed.Mismatch: Blocked, installed.Misnamed: Blocked,
		installed.Duplicate: Blocked, installed.Outside: Blocked, installed.Stray: Unknown, installed.Unrecorded: Unknown,
		installed.Unreadable: Unknown, installed.StartCode: Passed, installed.Absent: Unknown, "new": Unknown,
	} {
		r, err := Check(context.Background(), list(t, nil), Options{Now: today, Problems: []installed.Problem{{Rule: rule, Path: "x.py", Line: 3, What: "w"}}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != want || len(r.Findings) != 1 || r.Findings[0].Place.String() != "x.py:3" {
			t.Errorf("%s: %s %+v", rule, r.Verdict, r.Findings)
		}
	}
}

// TestRules wants every rule to be explained, and the worst to come first.
func TestRules(t *testing.T) {
	for _, r := range Rules() {
		if r.Short == "" || r.Help == "" || r.Verdict == "" {
			t.Errorf("%+v says too little", r)
		}
	}
	if Rule("no such").Info().Verdict != Unknown {
		t.Error("a rule that is not known passes")
	}
	if worse(Passed, "no such") == Passed || worse(Unknown, Blocked) != Blocked || worse(Blocked, Unknown) != Blocked {
		t.Error("the worse verdict is not the worse")
	}
}
