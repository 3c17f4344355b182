package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport"
)

// The parts of SARIF 2.1.0 (OASIS, plus errata 01) that a scan has something to
// say in, within what GitHub code scanning takes.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		ColumnKind  string            `json:"columnKind"`
		Artifacts   []sarifArtifact   `json:"artifacts"`
		Results     []sarifResult     `json:"results"`
		Invocations []sarifInvocation `json:"invocations"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string         `json:"id"`
		Short         sarifText      `json:"shortDescription"`
		Help          sarifText      `json:"help"`
		DefaultConfig sarifLevel     `json:"defaultConfiguration"`
		Properties    map[string]any `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifArtifact struct {
		Location sarifPlace        `json:"location"`
		Length   int64             `json:"length"`
		Hashes   map[string]string `json:"hashes,omitempty"`
	}
	sarifPlace struct {
		URI string `json:"uri"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifPlace  `json:"artifactLocation"`
		Region   sarifRegion `json:"region"`
	}
	sarifRegion struct {
		StartLine  int    `json:"startLine"`
		ByteOffset *int64 `json:"byteOffset,omitempty"`
	}
	sarifLogical struct {
		FullName string `json:"fullyQualifiedName"`
		Kind     string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
)

// WriteSARIF writes reports as SARIF 2.1.0. Version is that of the program.
// Failed lists files that could not be read, and why.
//
// A finding's place is a byte in a file that has no lines; GitHub shows only
// results with a line, so the line is 1 and the byte stands beside it, for the
// file itself. A place within a member is a logical location.
func WriteSARIF(w io.Writer, version string, reports []*Report, failed []error) error {
	rules := Rules()
	index := map[string]int{}
	driver := sarifDriver{Name: "sallyport scan", Version: version, InformationURI: "https://github.com/sallyport/sallyport", Rules: []sarifRule{}}
	for i, r := range rules {
		index[r.ID] = i
		driver.Rules = append(driver.Rules, describe(r))
	}
	run := sarifRun{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Artifacts: []sarifArtifact{}, Results: []sarifResult{}}
	for _, r := range reports {
		a := sarifArtifact{Location: placeOf(r), Length: r.Size}
		if r.SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": r.SHA256.Hex()}
		}
		run.Artifacts = append(run.Artifacts, a)
		for i := range r.Findings {
			run.Results = append(run.Results, result(r, &r.Findings[i], index))
		}
	}
	invocation := sarifInvocation{Successful: len(failed) == 0}
	for _, err := range failed {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", sarifText{err.Error()}})
	}
	run.Invocations = []sarifInvocation{invocation}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func describe(r *Rule) sarifRule {
	tags := []string{"security", "machine-learning"}
	if r.CWE > 0 {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%03d", r.CWE))
	}
	return sarifRule{r.ID, sarifText{r.Title}, sarifText{"What to do: " + r.Mend + "."}, sarifLevel{"error"},
		map[string]any{"tags": tags, "precision": "high", "security-severity": "8.0"}}
}

func result(r *Report, f *Finding, index map[string]int) sarifResult {
	why := f.What + ": " + f.Why
	if f.Member != "" {
		why += " (in " + f.Member + ")"
	}
	out := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: index[f.Rule.ID], Level: level(f.Verdict), Message: sarifText{why},
		Locations: []sarifLocation{{Physical: sarifPhysical{placeOf(r), sarifRegion{StartLine: 1}}}},
		// The rule and the thing in these very bytes: stable while the file is.
		Fingerprints: map[string]string{"sallyportFinding/v1": sallyport.Sum([]byte(r.SHA256.Hex() + "\x00" + f.Key() + "\x00" + f.Member)).Hex()},
		Properties:   map[string]any{"verdict": f.Verdict, "times": f.Times, "mend": f.Advice()},
	}
	if f.Offset >= 0 {
		out.Properties["offset"] = f.Offset
	}
	loc := &out.Locations[0]
	if f.Member != "" {
		loc.Logical = []sarifLogical{{f.Member, "member"}}
	} else if f.Offset >= 0 {
		loc.Physical.Region.ByteOffset = &f.Offset
	}
	if len(f.Trace) > 0 {
		out.Properties["trace"] = f.Trace
	}
	if f.Waiver != "" {
		out.Suppressions = []sarifSuppression{{"external", "accepted", "waived by " + f.Waiver}}
	}
	return out
}

func level(v Verdict) string {
	switch {
	case v >= Suspicious:
		return "error"
	case v == Inconclusive:
		return "warning"
	}
	return "note"
}

func placeOf(r *Report) sarifPlace {
	u := url.URL{Path: filepath.ToSlash(r.Path)}
	return sarifPlace{strings.TrimPrefix(u.String(), "./")}
}
