// Package sarif writes results as SARIF 2.1.0 (OASIS, with errata 01), in what
// GitHub code scanning takes and shows.
//
// What GitHub wants beyond the schema: a result is shown if it has a line; it is
// the same result as last time if its fingerprint is; and how severe it is comes
// from its rule, never from itself. Findings whose severities differ need rules
// of their own, so a rule of a check of dependencies is one advisory.
package sarif

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport"
)

// The levels of a result.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// A Log is a document.
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []Run  `json:"runs"`
}

// A Run is what one run of one tool has found.
type Run struct {
	Tool        Tool         `json:"tool"`
	ColumnKind  string       `json:"columnKind"`
	Artifacts   []Artifact   `json:"artifacts"`
	Results     []Result     `json:"results"`
	Invocations []Invocation `json:"invocations"`
	Properties  Properties   `json:"properties,omitempty"`
}

// New returns a run of one of our commands that has found nothing.
func New(command, version string) Run {
	return Run{
		Tool: Tool{Driver{
			Name: "sallyport " + command, Version: version,
			InformationURI: "https://github.com/sallyport/sallyport", Rules: []Rule{},
		}},
		ColumnKind: "unicodeCodePoints", Artifacts: []Artifact{}, Results: []Result{},
	}
}

// Write writes a document of one run.
func Write(w io.Writer, run Run) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(Log{schema, "2.1.0", []Run{run}})
}

// Properties are what SARIF has no words for.
type Properties map[string]any

// A Tool is what ran.
type Tool struct {
	Driver Driver `json:"driver"`
}

// A Driver is the program of a tool.
type Driver struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	InformationURI string `json:"informationUri"`
	Rules          []Rule `json:"rules"`
}

// A Rule is a kind of result.
type Rule struct {
	ID            string     `json:"id"`
	Short         Text       `json:"shortDescription"`
	Full          *Text      `json:"fullDescription,omitempty"`
	Help          Text       `json:"help"`
	HelpURI       string     `json:"helpUri,omitempty"`
	DefaultConfig Config     `json:"defaultConfiguration"`
	Properties    Properties `json:"properties"`
}

// A Text is plain, and Markdown where the plain text has links or lists.
type Text struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

// A Config is how results of a rule are, unless they say otherwise.
type Config struct {
	Level string `json:"level"`
}

// An Artifact is a file that was looked at.
type Artifact struct {
	Location Place             `json:"location"`
	Length   int64             `json:"length"` // -1 if it is not known
	Hashes   map[string]string `json:"hashes,omitempty"`
}

// A Place is a file by its path from the root of the repository.
type Place struct {
	URI string `json:"uri"`
}

// File returns the place of a path.
func File(path string) Place {
	u := url.URL{Path: strings.TrimPrefix(filepath.ToSlash(path), "./")}
	return Place{u.String()}
}

// A Result is a finding.
type Result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      Text              `json:"message"`
	Locations    []Location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Suppressions []Suppression     `json:"suppressions,omitempty"`
	Properties   Properties        `json:"properties"`
}

// A Location is where a result is: in a file, and in something within it.
type Location struct {
	Physical Physical  `json:"physicalLocation"`
	Logical  []Logical `json:"logicalLocations,omitempty"`
}

// A Physical location is a part of a file.
type Physical struct {
	Artifact Place  `json:"artifactLocation"`
	Region   Region `json:"region"`
}

// A Region is a part of a file. Whatever the file, a region has a line.
type Region struct {
	StartLine  int    `json:"startLine"`
	ByteOffset *int64 `json:"byteOffset,omitempty"`
	Snippet    *Text  `json:"snippet,omitempty"`
}

// Line returns the region of a line, counted from 1; 0, which stands for the
// whole file, becomes its first line.
func Line(n int) Region { return Region{StartLine: max(n, 1)} }

// A Logical location is something with a name: a member of an archive, a package.
type Logical struct {
	FullName string `json:"fullyQualifiedName"`
	Kind     string `json:"kind"`
}

// A Suppression says that somebody has decided about a result.
type Suppression struct {
	Kind          string     `json:"kind"`
	Status        string     `json:"status"`
	Justification string     `json:"justification"`
	Properties    Properties `json:"properties,omitempty"`
}

// Accepted returns the suppression of a decision that stands, which is written
// somewhere else than in the file.
func Accepted(why string) Suppression {
	return Suppression{Kind: "external", Status: "accepted", Justification: why}
}

// An Invocation says how the run went.
type Invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []Notification `json:"toolExecutionNotifications,omitempty"`
}

// Failed returns the invocation of a run that met these errors.
func Failed(errs []error) Invocation {
	i := Invocation{Successful: len(errs) == 0}
	for _, err := range errs {
		i.Notifications = append(i.Notifications, Notification{Error, Text{Text: err.Error()}})
	}
	return i
}

// A Notification is something about the run itself.
type Notification struct {
	Level   string `json:"level"`
	Message Text   `json:"message"`
}

// Fingerprint returns what makes a result the same as one of another run. The
// parts must be what the finding is about, never where it stands: a finding that
// moves to another line remains the same.
func Fingerprint(parts ...string) map[string]string {
	return map[string]string{"sallyportFinding/v1": sallyport.Sum([]byte(strings.Join(parts, "\x00"))).Hex()}
}

// SecuritySeverity is the property of a rule from which GitHub takes how severe
// its results are: above 9.0 is critical, from 7.0 high, from 4.0 medium, and
// from 0.1 low.
const SecuritySeverity = "security-severity"

// Severity is the value of SecuritySeverity for a score of CVSS. GitHub refuses
// what is not between 0 and 10.
func Severity(score float64) string {
	return strconv.FormatFloat(min(max(score, 0), 10), 'f', 1, 64)
}
