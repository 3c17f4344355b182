package project

import (
	"math"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A draft is a project while its file is being read: every path and name with
// the place where it stands, so that the checks can point at it.
type draft struct {
	*yaml.Document
	project Project
	python  yaml.Entry
	params  yaml.Entry
	data    []yaml.Entry // paths
	stages  []stageDraft
	exists  func(path string) bool
}

type stageDraft struct {
	Stage
	at                   ast.Node
	reads, writes, after []yaml.Entry
	metrics              yaml.Entry
	limits, shards       ast.Node
}

// parse reads a sallyport.yaml. exists says whether a file or folder lies in
// the project.
func parse(b []byte, exists func(path string) bool) (*Project, error) {
	doc, err := yaml.New(FileName, b)
	if err != nil {
		return nil, err
	}
	d := &draft{Document: doc, exists: exists}
	if err := d.read(); err != nil {
		return nil, err
	}
	if d.params.Text == "" && exists(defaultParams) {
		d.params.Text = defaultParams
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.finish(), nil
}

func (d *draft) read() error {
	p := &d.project
	var limits ast.Node
	err := d.Fields(d.Root, "a project", map[string]func(ast.Node) error{
		"project": func(n ast.Node) (err error) {
			if p.Name, err = d.Text(n, "project"); err != nil {
				return err
			}
			return d.name(n, "project", p.Name)
		},
		"python":       func(n ast.Node) error { return d.path(n, "python", &d.python) },
		"params":       func(n ast.Node) error { return d.path(n, "params", &d.params) },
		"data":         d.readData,
		"stages":       d.readStages,
		"limits":       func(n ast.Node) error { limits = n; return nil },
		"network":      d.readNetwork,
		"allow-builds": func(n ast.Node) error { return d.boolean(n, "allow-builds", &p.Builds) },
	})
	if err != nil {
		return err
	}
	if p.Name == "" {
		return d.Errorf(d.Root, "the project has no name").Try("begin the file with project: NAME")
	}
	if len(d.stages) == 0 {
		return d.Errorf(d.Root, "the project has no stages").Try("add stages: with a name and its run: command")
	}
	if err := d.readLimits(limits, &p.Limits); err != nil {
		return err
	}
	for i := range d.stages {
		d.stages[i].Limits = p.Limits
		if err := d.readLimits(d.stages[i].limits, &d.stages[i].Limits); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) readData(n ast.Node) error {
	pairs, err := d.Pairs(n, "data")
	if err != nil {
		return err
	}
	for _, p := range pairs {
		place, err := d.cleanPath(p.At, p.Key)
		if err != nil {
			return err
		}
		name, err := d.Text(p.Value, "a dataset")
		if err != nil {
			return err
		}
		ref, err := sallyport.ParseRef(name)
		if err != nil {
			return d.Errorf(p.Value, "not the name of a dataset").Try("write NAME or NAME@VERSION, as sallyport data ls shows them")
		}
		d.project.Data = append(d.project.Data, Input{strings.TrimSuffix(place, "/"), ref})
		d.data = append(d.data, yaml.Entry{Text: place, At: p.At})
	}
	return nil
}

func (d *draft) readStages(n ast.Node) error {
	pairs, err := d.Pairs(n, "stages")
	if err != nil {
		return err
	}
	if len(pairs) > maxStages {
		return d.Errorf(n, "more than %d stages", maxStages)
	}
	for _, p := range pairs {
		s := stageDraft{Stage: Stage{Name: p.Key}, at: p.At}
		if err := d.name(p.At, "stage", p.Key); err != nil {
			return err
		}
		if err := d.readStage(p.Value, &s); err != nil {
			return err
		}
		if s.Run == "" {
			return d.Errorf(p.At, "the stage has no command").Try("add run: with the command")
		}
		d.stages = append(d.stages, s)
	}
	return nil
}

func (d *draft) readStage(n ast.Node, s *stageDraft) error {
	return d.Fields(n, "a stage", map[string]func(ast.Node) error{
		"run":     func(n ast.Node) (err error) { s.Run, err = d.Text(n, "run"); return err },
		"reads":   func(n ast.Node) error { return d.paths(n, "reads", &s.reads) },
		"writes":  func(n ast.Node) error { return d.paths(n, "writes", &s.writes) },
		"after":   func(n ast.Node) (err error) { s.after, err = d.Texts(n, "after"); return err },
		"metrics": func(n ast.Node) error { return d.path(n, "metrics", &s.metrics) },
		"limits":  func(n ast.Node) error { s.limits = n; return nil },
		"shards":  func(n ast.Node) error { return d.readShards(n, s) },
	})
}

func (d *draft) readShards(n ast.Node, s *stageDraft) (err error) {
	if s.Shards, err = strconv.Atoi(scalar(n)); err != nil || s.Shards < 2 || s.Shards > maxShards {
		return d.Errorf(n, "shards is a whole number from 2 to %d", maxShards).Try("write it like 16, or leave it out")
	}
	s.shards = n
	return nil
}

func (d *draft) readLimits(n ast.Node, l *Limits) error {
	return d.Fields(n, "limits", map[string]func(ast.Node) error{
		"cpu": func(n ast.Node) error {
			v, err := decimal(scalar(n))
			if err != nil || v <= 0 || v > 1<<16 {
				return d.Errorf(n, "cpu is a number of cores").Try("write it like 2 or 0.5")
			}
			l.CPU = v
			return nil
		},
		"memory":    func(n ast.Node) error { return d.size(n, "memory", &l.Memory) },
		"file-size": func(n ast.Node) error { return d.size(n, "file-size", &l.FileSize) },
		"time": func(n ast.Node) (err error) {
			if l.Time, err = parseTime(scalar(n)); err != nil {
				return d.Errorf(n, "time is a duration").Try("write it like 90s, 30m or 2h30m")
			}
			return nil
		},
		"processes": func(n ast.Node) (err error) {
			if l.Processes, err = strconv.Atoi(scalar(n)); err != nil || l.Processes < 1 || l.Processes > math.MaxInt32 {
				return d.Errorf(n, "processes is a whole number above 0").Try("write it like 64")
			}
			return nil
		},
	})
}

// hostForm is a host name: labels of letters, digits and inner dashes. Wild
// cards are refused: each host that real data may reach is named.
var hostForm = lazyregexp.New(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (d *draft) readNetwork(n ast.Node) error {
	hosts, err := d.Texts(n, "network")
	if err != nil {
		return err
	}
	for _, h := range hosts {
		name := strings.ToLower(h.Text)
		if !validHost(name) {
			return d.Errorf(h.At, "not a host").Try("write host or host:port, one entry for each, without wild cards or https://")
		}
		d.project.Network = append(d.project.Network, name)
	}
	return nil
}

// validHost reports whether s is HOST, HOST:PORT, an IP address or [IPV6]:PORT.
func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Port() > 0
	}
	host, port, found := strings.Cut(s, ":")
	if found {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return len(host) <= 253 && hostForm.MatchString(host)
}

func (d *draft) name(n ast.Node, what, s string) error {
	if sallyport.CheckName(what, s) != nil {
		return d.Errorf(n, "this cannot name a %s", what).Try("use 1 to 64 lower-case letters, digits, dots, dashes and underscores")
	}
	return nil
}

func (d *draft) boolean(n ast.Node, what string, to *bool) error {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return d.Errorf(n, "%s is true or false", what)
	}
	*to = b.Value
	return nil
}

func (d *draft) size(n ast.Node, what string, to *int64) (err error) {
	if *to, err = parseSize(scalar(n)); err != nil {
		return d.Errorf(n, "%s is a size", what).Try("write it like 512MiB or 4GiB")
	}
	return nil
}

// scalar returns the text of a plain value as it was written, or nothing.
func scalar(n ast.Node) string {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.IntegerNode, *ast.FloatNode:
		return v.GetToken().Value
	}
	return ""
}

func (d *draft) path(n ast.Node, what string, to *yaml.Entry) error {
	s, err := d.Text(n, what)
	if err != nil {
		return err
	}
	if s, err = d.cleanPath(n, s); err != nil {
		return err
	}
	if strings.HasSuffix(s, "/") {
		return d.Errorf(n, "%s is a file, not a folder", what).Try("remove the slash at its end")
	}
	*to = yaml.Entry{Text: s, At: n}
	return nil
}

func (d *draft) paths(n ast.Node, what string, to *[]yaml.Entry) error {
	list, err := d.Texts(n, what)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Text, err = d.cleanPath(list[i].At, list[i].Text); err != nil {
			return err
		}
	}
	*to = list
	return nil
}

// cleanPath returns s clean, with its trailing slash kept, if it names
// something below the project, and an error that points at n otherwise.
func (d *draft) cleanPath(n ast.Node, s string) (string, error) {
	if path.IsAbs(s) || strings.ContainsAny(s, "\\:") || strings.HasPrefix(s, "~") {
		return "", d.Errorf(n, "not a relative path").Try("write paths relative to the folder of %s, with slashes", FileName)
	}
	if yaml.Clean(s) != s {
		return "", d.Errorf(n, "the path is too long or holds control characters")
	}
	c := path.Clean(s)
	first, _, _ := strings.Cut(c, "/")
	switch {
	case c == "..", first == "..":
		return "", d.Errorf(n, "the path leaves the project").Try("keep what a run reads and writes below the folder of %s", FileName)
	case c == ".":
		return "", d.Errorf(n, "this is the whole project").Try("name a file or a folder in it")
	case strings.EqualFold(first, ".git"), strings.EqualFold(first, ".sallyport"):
		return "", d.Errorf(n, "%s does not belong to the code", first).Try("use another folder")
	}
	if strings.HasSuffix(s, "/") {
		c += "/"
	}
	return c, nil
}

// finish returns the checked project.
func (d *draft) finish() *Project {
	p := d.project
	p.Python, p.Params = d.python.Text, d.params.Text
	for _, s := range d.stages {
		s.Reads, s.Writes, s.After, s.Metrics = texts(s.reads), texts(s.writes), texts(s.after), s.metrics.Text
		p.Stages = append(p.Stages, s.Stage)
	}
	return &p
}

// maxStages bounds the stages of a project, and with them the time that the
// checks on a hostile file take.
const maxStages = 256

// maxShards bounds how often a sharded stage runs; each time is an entry of the
// run's record.
const maxShards = 256

// defaultParams is the parameter file of a project that names none.
const defaultParams = "params.yaml"

func texts(entries []yaml.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out
}
