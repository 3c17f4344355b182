package run

import (
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/scan"
)

// TestScannedIsSealed refuses a report about other bytes than were sealed.
func TestScannedIsSealed(t *testing.T) {
	a := &Artefact{Path: "m", Stored: Stored{Digest: sallyport.Sum([]byte("one"))}}
	if err := a.scanned(&scan.Report{SHA256: sallyport.Sum([]byte("another"))}); err == nil {
		t.Error("a report about other bytes was taken")
	}
	if err := (*Artefact)(nil).scanned(&scan.Report{}); err == nil {
		t.Error("a report about no artefact was taken")
	}
	if err := a.scanned(&scan.Report{SHA256: a.Digest, Verdict: scan.Allowed}); err != nil || a.Scan.Verdict != scan.Allowed {
		t.Errorf("%v, %v", err, a.Scan.Verdict)
	}
}

// TestBlocked wants the worst artefact to decide, and what is only not known to
// be another kind of error than what is bad.
func TestBlocked(t *testing.T) {
	for _, c := range []struct {
		verdicts []scan.Verdict
		kind     sallyport.Kind
	}{
		{[]scan.Verdict{scan.Inert, scan.Inconclusive}, sallyport.Unknown},
		{[]scan.Verdict{scan.Suspicious, scan.Inconclusive}, sallyport.Refused},
		{[]scan.Verdict{scan.Malicious}, sallyport.Refused},
	} {
		st := Stage{Name: "train"}
		for _, v := range c.verdicts {
			st.Outputs = append(st.Outputs, Artefact{Scan: Scanned{Verdict: v}})
		}
		err := st.blocked()
		if status, _ := outcome(err); !sallyport.Is(err, c.kind) || status != Blocked {
			t.Errorf("%v: %v, %s", c.verdicts, err, status)
		}
	}
	fine := Stage{Outputs: []Artefact{{Scan: Scanned{Verdict: scan.Allowed}}}}
	if err := fine.blocked(); err != nil {
		t.Error(err)
	}
}
