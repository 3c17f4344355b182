package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/launch"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// maxOutput bounds what is kept of what a stage prints, in bytes. The stage
// goes on; what is kept ends by saying that the rest was dropped.
const maxOutput = 64 << 20

// maxMetrics bounds what is read of a metrics file: one byte more than
// project.ReadMetrics takes, so that it can say so.
const maxMetrics = 1<<20 + 1

// stage executes one stage and adds it to the record, whatever becomes of it.
// Its outputs are kept only if it finished: nothing half-written stays.
func (j *journal) stage(ctx context.Context, p *plan, st project.Stage, watch Watch) error {
	rec := j.stageOf(st.Title())
	rec.Status, rec.Started = Running, now()
	printed, written := newShelf(j.s.Blobs, j.s.Output), newShelf(j.s.Blobs, j.s.Output)
	log := &captured{stream: printed.w.Stream(), live: watch.Output}
	out := &outputs{ctx: ctx, shelf: written, stage: st, scanner: p.scanner}

	result, err := launch.Local{}.Run(ctx, j.task(ctx, p, st, rec, log, watch, out))
	if err == nil {
		rec.Exit, rec.Usage, rec.Walls = result.Exit, result.Usage, result.Walls
		err = verdict(st, result, log.tail())
	} else if ctx.Err() != nil {
		err = interrupted(st.Title())
	}
	if err == nil {
		err = out.err
	}
	if err == nil {
		err = j.keepOutputs(ctx, rec, st, out)
	} else {
		written.discard()
	}
	if kerr := j.keepPrinted(rec, printed, log, result); err == nil {
		err = kerr
	}
	if err != nil {
		rec.Outputs, rec.Folders, rec.Found, rec.Metrics, rec.Unusual = nil, nil, nil, nil, nil
	} else {
		err = rec.blocked()
	}
	rec.Status, rec.Why = outcome(err)
	return err
}

// keepOutputs makes durable what the stage wrote and reads its metrics there.
func (j *journal) keepOutputs(ctx context.Context, rec *Stage, st project.Stage, out *outputs) error {
	found, err := out.keepQuotes()
	if err == nil {
		err = out.shelf.close()
	}
	if err == nil {
		err = j.metrics(ctx, st, rec, out.artefacts)
	}
	if err != nil {
		out.shelf.discard()
		return err
	}
	rec.Outputs, rec.Folders, rec.Found = out.artefacts, out.folders, found
	j.shelves = append(j.shelves, out.shelf)
	return nil
}

// keepPrinted makes durable what the stage printed and what it tried to reach,
// which result, if there is one, lists.
func (j *journal) keepPrinted(rec *Stage, sh *shelf, log *captured, result *sandbox.Result) error {
	output, err := sh.keep(log.stream)
	var attempts *Stored
	if err == nil && result != nil {
		rec.Network = countAttempts(result)
		attempts, err = keepAttempts(sh, result.Attempts)
	}
	if err == nil {
		err = sh.close()
	}
	if err != nil {
		sh.discard()
		return err
	}
	output.Digest = "" // short output could be guessed from its digest
	rec.Output, rec.Attempts = output, attempts
	j.shelves = append(j.shelves, sh)
	return nil
}

func countAttempts(r *sandbox.Result) Network {
	n := Network{Distinct: int64(len(r.Attempts)), Unlisted: int64(r.Unlisted)}
	n.Attempts = n.Unlisted
	for _, a := range r.Attempts {
		n.Attempts += int64(a.Count)
		if a.Allowed {
			n.Allowed += int64(a.Count)
		}
	}
	return n
}

// keepAttempts seals the list of attempts, one JSON line each.
func keepAttempts(sh *shelf, list []sandbox.Attempt) (*Stored, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, a := range list {
		if err := enc.Encode(a); err != nil {
			return nil, err
		}
	}
	st, err := sh.put(&lines)
	st.Digest = ""
	return &st, err
}

// task says what the stage may see and where it may write.
func (j *journal) task(ctx context.Context, p *plan, st project.Stage, rec *Stage, log *captured, watch Watch, out *outputs) launch.Task {
	t := launch.Task{
		Command: st.Run, Env: rec.Variables,
		Code: p.code, Writes: st.Writes, Collect: out.collect,
		Limits: rec.Limits, Network: p.project.Network,
		Stdout: log, Stderr: log,
	}
	if watch.Attempt != nil {
		t.Attempt = func(a sandbox.Attempt) { watch.Attempt(st.Title(), a) }
	}
	if st.Metrics != "" && !slices.ContainsFunc(st.Writes, func(w string) bool { return within(st.Metrics, w) }) {
		t.Writes = append(slices.Clone(t.Writes), st.Metrics)
	}
	if p.env != nil {
		t.Environment, t.Visible = j.s.Envs.Root(p.env), p.env.Python.Prefixes
	}
	for _, d := range j.record.Data {
		if reads(st, d.Path) {
			rec.Data = append(rec.Data, d)
		}
	}
	for i := range rec.Data {
		t.Inputs = append(t.Inputs, j.dataInput(ctx, p, st, &rec.Data[i]))
	}
	for _, earlier := range j.record.Stages {
		before := len(t.Inputs)
		for _, a := range earlier.Outputs {
			if reads(st, a.Path) {
				t.Inputs = append(t.Inputs, j.artefactInput(ctx, a))
			}
		}
		if len(t.Inputs) > before {
			rec.From = append(rec.From, earlier.Name)
		}
	}
	return t
}

// dataInput lays a dataset out, or the part of it that the stage is to see, and
// records what it was.
func (j *journal) dataInput(ctx context.Context, p *plan, st project.Stage, d *Data) launch.Input {
	in := p.data[d.Path]
	return launch.Input{Path: d.Path, Fill: func(root *os.Root, name string) error {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		x, err := j.s.Data.Extract(ctx, in, j.record.Sample.selection(st), root, name)
		if err != nil {
			return err
		}
		d.Records, d.Subjects, d.Bytes, d.Selection = x.Records, x.Subjects, x.Bytes, x.Digest
		return nil
	}}
}

func (j *journal) artefactInput(ctx context.Context, a Artefact) launch.Input {
	return launch.Input{Path: a.Path, Fill: func(root *os.Root, name string) error {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		r, err := j.s.open(ctx, a.Stored)
		if err != nil {
			return err
		}
		defer r.Close()
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, os.FileMode(a.Mode)|0o444)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, r); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}}
}

// metrics reads the stage's metrics file among what it wrote.
func (j *journal) metrics(ctx context.Context, st project.Stage, rec *Stage, written []Artefact) error {
	if st.Metrics == "" {
		return nil
	}
	i := slices.IndexFunc(written, func(a Artefact) bool { return a.Path == st.Kept(st.Metrics) })
	if i < 0 || written[i].Size == 0 { // a place that is a file is there from the beginning
		return sallyport.Errorf(sallyport.StageFailed, "it did not write its metrics").At("stage %s: %s", st.Title(), st.Metrics).
			Try("write the file that metrics: names, or take that line out of sallyport.yaml")
	}
	r, err := j.s.open(ctx, written[i].Stored)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxMetrics))
	if err != nil {
		return err
	}
	m, err := project.ReadMetrics(st.Metrics, text)
	if err != nil {
		return sallyport.Errorf(sallyport.StageFailed, "its metrics cannot be read: %w", err).At("stage %s", st.Title())
	}
	rec.Metrics, rec.Unusual = m.Values, m.NotFinite
	return nil
}

// verdict says in a sentence why the stage failed, or nil.
func verdict(st project.Stage, r *sandbox.Result, tail string) error {
	fail := func(k sallyport.Kind, format string, args ...any) *sallyport.Error {
		return sallyport.Errorf(k, format, args...).At("stage %s", st.Title())
	}
	switch r.Ended {
	case sandbox.Interrupted:
		return interrupted(st.Title())
	case sandbox.OutOfTime:
		return fail(sallyport.Limit, "it ran longer than its limit of %s", st.Limits.Time).
			Try("raise limits: time in sallyport.yaml, or rehearse with --sample")
	case sandbox.OutOfMemory:
		return fail(sallyport.Limit, "it needed more memory than its limit of %s", sallyport.Size(st.Limits.Memory)).
			Try("raise limits: memory in sallyport.yaml, or rehearse with --sample")
	case sandbox.OutOfProcesses:
		return fail(sallyport.Limit, "it started more processes than its limit allows").
			Try("raise limits: processes in sallyport.yaml")
	case sandbox.OutOfFileSize:
		return fail(sallyport.Limit, "it wrote a file larger than its limit allows").
			Try("raise limits: file-size in sallyport.yaml")
	case sandbox.NotStarted:
		return fail(sallyport.StageFailed, "its command cannot be started").Try("check run: in sallyport.yaml")
	case sandbox.Signalled:
		return fail(sallyport.StageFailed, "it was ended by signal %s", r.Signal)
	}
	if r.Exit == 0 {
		return nil
	}
	err := fail(sallyport.StageFailed, "it ended with exit status %d", r.Exit)
	switch {
	case strings.Contains(tail, "Read-only file system"), strings.Contains(tail, "EROFS"):
		return err.Try("it tried to write outside its places: name them under writes: in sallyport.yaml")
	case strings.Contains(tail, "No space left on device"):
		return err.Try("what it wrote did not fit into its places: raise limits: memory in sallyport.yaml")
	case strings.Contains(tail, "MemoryError"), strings.Contains(tail, "Cannot allocate memory"):
		return err.Try("it ran out of memory: raise limits: memory in sallyport.yaml")
	}
	return err.Try("see what it printed with: sallyport runs show RUN --output")
}

func interrupted(stage string) error {
	return sallyport.Errorf(sallyport.Interrupted, "it was stopped").At("stage %s", stage)
}

// reads reports whether the stage asked to see what lies at p: by its name, by
// a folder that it is in, or by a part of it.
func reads(st project.Stage, p string) bool {
	return slices.ContainsFunc(st.Reads, func(r string) bool { return within(p, r) || within(r, p) })
}

// within reports whether the slash path a is b or lies below it.
func within(a, b string) bool {
	a, b = strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	return a == b || strings.HasPrefix(a, b+"/")
}

// captured keeps what a stage prints and shows it while it prints.
type captured struct {
	mu      sync.Mutex
	stream  *blob.Stream
	live    io.Writer
	dropped bool
	last    []byte // the newest few KiB
}

func (c *captured) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live != nil {
		c.live.Write(b)
	}
	c.last = append(c.last, b...)
	c.last = c.last[max(0, len(c.last)-8<<10):]
	if c.dropped {
		return len(b), nil
	}
	if c.stream.Size()+int64(len(b)) > maxOutput {
		c.dropped = true
		_, err := fmt.Fprintf(c.stream, "\n[sallyport: the rest was dropped, at the limit of %s]\n", sallyport.Size(maxOutput))
		return len(b), err
	}
	return c.stream.Write(b)
}

func (c *captured) tail() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.last)
}
