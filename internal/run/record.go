package run

import (
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/scan"
)

// Status says where a run stands.
type Status string

// A run is Planned and Running until exactly one of the others is recorded.
const (
	Planned     Status = "planned" // of a stage: it has not begun
	Running     Status = "running"
	Finished    Status = "finished"
	Failed      Status = "failed"      // a stage failed or hit a limit
	Blocked     Status = "blocked"     // an artefact did not pass the scan: it is kept, and not signed
	Interrupted Status = "interrupted" // somebody stopped it, or the process was killed
)

// A Record is the document of a run (object "run"). It stands in the clear in
// the site. What a stage printed, what it tried to reach and what the scan quotes
// of what it wrote is sealed, and only counted here; what a stage chooses besides
// (numbers and names of metrics, names of artefacts) is not: see "covert channels"
// in doc/threats.md.
type Record struct {
	ID      string    `json:"id"`
	Project string    `json:"project"`
	By      string    `json:"by"`
	Status  Status    `json:"status"`
	Why     string    `json:"why,omitempty"` // of a run that did not finish: the reason, in a sentence
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`

	Code        Code           `json:"code"`
	Lock        string         `json:"lock,omitempty"` // path of the lock file within the code
	Environment *Environment   `json:"environment,omitempty"`
	Deps        *deps.Report   `json:"deps,omitempty"` // what the check of the environment's packages came to, before the first stage
	Data        []Data         `json:"data"`
	Params      map[string]any `json:"params,omitempty"` // as the stages saw them
	Set         []string       `json:"set,omitempty"`    // --set, in order
	Sample      Sample         `json:"sample,omitzero"`
	Host        Host           `json:"host"`

	Stages     []Stage                     `json:"stages"`
	Evidence   map[string]sallyport.Digest `json:"evidence,omitempty"` // "model/model.sig": objects "evidence"
	Reproduces *Comparison                 `json:"reproduces,omitempty"`
	Retrains   string                      `json:"retrains,omitempty"` // the run whose recipe this one followed after an erasure
	Erased     *Erased                     `json:"erased,omitempty"`   // then nothing that it wrote or printed is left, but what Erased spares
}

// Erased says why a run's outputs are gone: it saw records of somebody who was
// taken out since, or came of a model that had.
type Erased struct {
	Erasure string    `json:"erasure"`
	At      time.Time `json:"at"`
	Code    bool      `json:"code,omitempty"` // its code is gone too: a model of theirs was a part of it

	// Stages are those that saw the records, or came of one that did; nil for
	// all. What the others wrote waits here for the run that makes these again.
	// Which shard somebody was in tells only who holds the site's key.
	Stages []string `json:"stages,omitempty"`
}

// Code is the project as it ran.
type Code struct {
	Commit   string           `json:"commit"`           // git commit, empty before the first
	Prefix   string           `json:"prefix,omitempty"` // the project's folder in the repository
	Tree     sallyport.Digest `json:"tree"`             // over every file as it ran
	Files    int              `json:"files"`
	Bytes    int64            `json:"bytes"`
	Dirty    bool             `json:"dirty"` // files differ from the commit; Diff says how
	Remote   string           `json:"remote,omitempty"`
	Models   []Artefact       `json:"models,omitempty"` // files among them that a program may load, as the scan read them
	Snapshot Stored           `json:"snapshot"`         // tar of every file
	Diff     *Stored          `json:"diff,omitempty"`   // against the commit, as git prints it
}

// Environment names the environment that the stages ran in (object
// "environment").
type Environment struct {
	ID     string           `json:"id"`
	Lock   sallyport.Digest `json:"lock"`
	Tree   sallyport.Digest `json:"tree"` // over every installed file
	Python string           `json:"python"`
	Tool   string           `json:"tool"` // what built it
}

// Data is a dataset as the stages saw it.
type Data struct {
	Path      string           `json:"path"`
	Version   string           `json:"version"`   // "encounters@3"
	Root      sallyport.Digest `json:"root"`      // salted commitment to the version's content
	Selection sallyport.Digest `json:"selection"` // salted commitment to the records that were laid out, in order
	Records   int64            `json:"records"`
	Subjects  int64            `json:"subjects"`
	Bytes     int64            `json:"bytes"`
	Whole     int64            `json:"whole"` // records of the whole version
}

// A Sample is a part of the subjects. Its zero value is everybody.
type Sample struct {
	Subjects int     `json:"subjects,omitempty"`
	Percent  float64 `json:"percent,omitempty"`
}

// Host is the machine that a run ran on.
type Host struct {
	Sallyport string `json:"sallyport"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	Kernel    string `json:"kernel"`
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory"` // bytes
}

// A Stage is what became of one stage.
type Stage struct {
	Name      string             `json:"name"`            // of a shard: "train#3"
	Shard     int                `json:"shard,omitempty"` // 3; 0 for a stage that is not sharded
	Command   string             `json:"command"`
	Status    Status             `json:"status"`
	Exit      int                `json:"exit"`
	Why       string             `json:"why,omitempty"`
	Started   time.Time          `json:"started"`
	Usage     sandbox.Usage      `json:"usage"`
	Limits    sandbox.Limits     `json:"limits"`
	Variables []string           `json:"variables"` // its whole environment, KEY=value
	Walls     sandbox.Walls      `json:"walls"`
	Network   Network            `json:"network"`
	Data      []Data             `json:"data,omitempty"` // as this stage saw it
	From      []string           `json:"from,omitempty"` // the stages whose outputs it saw
	Kept      string             `json:"kept,omitempty"` // it was not made again: all of this is of that run
	Metrics   map[string]float64 `json:"metrics,omitempty"`
	Unusual   map[string]string  `json:"unusual,omitempty"` // metrics that are "nan", "+inf" or "-inf"
	Outputs   []Artefact         `json:"outputs,omitempty"`
	Folders   []string           `json:"folders,omitempty"`  // of Outputs: the artefact folders, "model"
	Found     *Stored            `json:"found,omitempty"`    // JSON lines of Found: what the scan quotes of Outputs, sealed
	Output    Stored             `json:"output"`             // what it printed, sealed
	Attempts  *Stored            `json:"attempts,omitempty"` // JSON lines of sandbox.Attempt, sealed
}

// Network counts what a stage tried to reach; names are sealed in Attempts.
type Network struct {
	Attempts int64 `json:"attempts"`           // all of them
	Allowed  int64 `json:"allowed"`            // to hosts that may be reached
	Distinct int64 `json:"distinct"`           // different ones that are listed, with how often each was made
	Unlisted int64 `json:"unlisted,omitempty"` // made after the list was full
}

// An Artefact is a file that a stage wrote, kept sealed.
type Artefact struct {
	Path string `json:"path"` // slash path within the project
	Mode uint32 `json:"mode"` // permission bits
	Stored
	Scan Scanned `json:"scan"`
}

// Scanned is what the scan of one file came to, as scan.Quiet leaves it: it quotes
// nothing of the file but names of code that are on our lists. The stage's Found
// has the rest. Of the project's own files nothing more is kept: whoever has the
// code can scan it.
type Scanned struct {
	Verdict  scan.Verdict   `json:"verdict"`
	Formats  []string       `json:"formats,omitempty"`
	Globals  []string       `json:"globals,omitempty"` // code that it names: "module name", or scan.Withheld
	Findings []scan.Finding `json:"findings,omitempty"`
	Dropped  int            `json:"dropped,omitempty"` // findings beyond those
}

// Stored is where bytes are kept: segments of the output ring, in order.
type Stored struct {
	Size     int64            `json:"size"`
	Digest   sallyport.Digest `json:"digest,omitempty"` // absent where it could be guessed from
	Segments []int64          `json:"segments,omitempty"`

	shelf   *shelf // until it is recorded
	indexes []int
}

// Size returns how many records the stages saw, the measure of a rehearsal.
func (r *Record) Size() (records, whole int64) {
	for _, d := range r.Data {
		records += d.Records
		whole += d.Whole
	}
	return records, whole
}

// Metrics returns every stage's metrics as "stage.name".
func (r *Record) Metrics() map[string]float64 {
	all := map[string]float64{}
	for _, s := range r.Stages {
		for k, v := range s.Metrics {
			all[s.Name+"."+k] = v
		}
	}
	return all
}

// Outputs returns the artefacts of every stage.
func (r *Record) Outputs() []Artefact {
	var all []Artefact
	for _, s := range r.Stages {
		all = append(all, s.Outputs...)
	}
	return all
}
