package project

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

const example = `project: readmission
python: requirements.lock
data:
  data/encounters.csv: encounters@2
stages:
  train:
    run: python train.py
    reads:  [data/encounters.csv, params.yaml]
    writes: [model/]
    metrics: metrics/train.json
  validate:
    run: python validate.py
    after:  [train]
    reads:  [data/encounters.csv, model/]
    writes: [report/]
    metrics: metrics/validate.json
    limits: {time: 90s}
limits:  {cpu: 2, memory: 4GiB, time: 30m, processes: 64, file-size: 500MB}
network: [Example.org, "example.com:8443"]
`

// in makes the exists of parse from a list of paths.
func in(paths ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(paths, p) }
}

func TestParse(t *testing.T) {
	got, err := parse([]byte(example), in("params.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{CPU: 2, Memory: 4 << 30, Time: 30 * time.Minute, Processes: 64, FileSize: 500e6}
	own := limits
	own.Time = 90 * time.Second
	want := &Project{
		Name: "readmission", Python: "requirements.lock", Params: "params.yaml",
		Data: []Input{{"data/encounters.csv", sallyport.Ref{Name: "encounters", Version: 2}}},
		Stages: []Stage{
			{Name: "train", Run: "python train.py", Reads: []string{"data/encounters.csv", "params.yaml"},
				Writes: []string{"model/"}, Metrics: "metrics/train.json", Limits: limits},
			{Name: "validate", Run: "python validate.py", After: []string{"train"}, Reads: []string{"data/encounters.csv", "model/"},
				Writes: []string{"report/"}, Metrics: "metrics/validate.json", Limits: own},
		},
		Limits: limits, Network: []string{"example.org", "example.com:8443"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Every mistake is refused at its place, with the line itself and what to do.
func TestMistakes(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(example, old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(example, old, new, 1)
	}
	tests := map[string]struct{ file, place, msg, mend string }{
		"unknown key":           {edit("python:", "pyhton:"), "2:1", "no key of this name", "did you mean python?"},
		"unknown stage key":     {edit("writes: [model/]", "write: [model/]"), "9:5", "a stage has no key", "did you mean writes?"},
		"unknown limit":         {edit("cpu: 2", "cores: 2"), "18:11", "limits has no key", "cpu, file-size"},
		"duplicate key":         {edit("python: requirements.lock", "project: other"), "2:1", "second time", "remove"},
		"duplicate stage":       {edit("validate:\n", "train:\n"), "11:3", "second time", "remove"},
		"absolute path":         {edit("writes: [model/]", "writes: [/etc/]"), "9:14", "not a relative path", "relative"},
		"path leaves":           {edit("data/encounters.csv: e", "../x.csv: e"), "4:3", "leaves the project", "below"},
		"path leaves inside":    {edit("writes: [model/]", "writes: [a/../../b]"), "9:14", "leaves the project", "below"},
		"windows path":          {edit("writes: [model/]", `writes: ['C:\x']`), "9:14", "not a relative path", "slashes"},
		"the project itself":    {edit("writes: [model/]", "writes: [./]"), "9:14", "whole project", "name a file"},
		"git's folder":          {edit("writes: [model/]", "writes: [.git/hooks/]"), "9:14", "does not belong", "another"},
		"overlapping writes":    {edit("writes: [report/]", "writes: [model/x/]"), "15:14", "stage train writes here", "own"},
		"same metrics":          {edit("metrics/validate.json", "metrics/train.json"), "16:14", "stage train writes here", "own"},
		"write on data":         {edit("writes: [model/]", "writes: [data/]"), "9:14", "dataset is put here", "somewhere else"},
		"write on lock":         {edit("writes: [model/]", "writes: [requirements.lock]"), "9:14", "write over requirements.lock", "somewhere else"},
		"write on default":      {edit("writes: [model/]", "writes: [params.yaml]"), "9:14", "write over params.yaml", "somewhere else"},
		"data on data":          {edit("encounters@2", "encounters\n  data/: other"), "5:3", "two datasets", "own path"},
		"data on the project":   {edit("  data/encounters.csv", "  sallyport.yaml"), "4:3", "would hide sallyport.yaml", "another"},
		"circle":                {edit("    run: python train.py", "    run: x\n    after: [validate]"), "8:13", "circle", "remove"},
		"itself":                {edit("after:  [train]", "after:  [validate]"), "13:14", "circle", "remove"},
		"unknown after":         {edit("after:  [train]", "after:  [trian]"), "13:14", "no stage of this name", "did you mean train?"},
		"undeclared read":       {edit("[data/encounters.csv, params", "[data/encounter.csv, params"), "8:14", "nothing provides", "did you mean data/encounters.csv?"},
		"read too early":        {edit("    after:  [train]\n", ""), "13:35", "stage train writes this", "add train to after:"},
		"read own":              {edit("[data/encounters.csv, model/]", "[report/]"), "14:14", "writes itself", "remove"},
		"bad size":              {edit("4GiB", "4"), "18:27", "memory is a size", "4GiB"},
		"bad duration":          {edit("30m", "30"), "18:39", "time is a duration", "30m"},
		"negative duration":     {edit("30m", "-30m"), "18:39", "time is a duration", "30m"},
		"bad cpu":               {edit("cpu: 2", "cpu: many"), "18:16", "cpu is a number", "0.5"},
		"bad processes":         {edit("64", "0"), "18:55", "processes is", "64"},
		"bad dataset":           {edit("encounters@2", "Encounters"), "4:24", "not the name of a dataset", "NAME@VERSION"},
		"bad host":              {edit("Example.org", "https://example.org"), "19:11", "not a host", "host:port"},
		"wild card":             {edit("Example.org", `"*.example.org"`), "19:11", "not a host", "host:port"},
		"bad port":              {edit("8443", "84430"), "19:24", "not a host", "host:port"},
		"no command":            {edit("    run: python train.py\n", ""), "6:3", "no command", "run:"},
		"empty command":         {edit("run: python train.py", `run: " "`), "7:10", "run is empty", ""},
		"no name":               {edit("project: readmission\n", ""), "1:1", "no name", "project: NAME"},
		"bad name":              {edit("readmission", "Re admission"), "1:10", "cannot name a project", "lower-case"},
		"no stages":             {"project: x\n", "1:1", "no stages", "stages:"},
		"list for a mapping":    {"project: x\nstages: [a]\n", "2:9", "is a mapping", ""},
		"text for a list":       {edit("writes: [model/]", "writes: model/"), "9:13", "writes is a list", "brackets"},
		"boolean":               {example + "allow-builds: yes please\n", "20:15", "true or false", ""},
		"one shard":             {edit("    run: python train.py", "    run: x\n    shards: 1"), "8:13", "shards is a whole number", "16"},
		"shards of nobody":      {edit("[data/encounters.csv, params.yaml]", "[params.yaml]\n    shards: 4"), "9:13", "no dataset", "reads:"},
		"a file of shards":      {edit("writes: [model/]", "writes: [model.onnx]\n    shards: 4"), "9:14", "only folders", "slash"},
		"metrics of shards":     {strings.Replace(edit("metrics/train.json", "metrics/train.json\n    shards: 4"), "model/]\n    writes: [report", "metrics/train.json]\n    writes: [report", 1), "15:35", "each shard has metrics", "metrics/train/"},
		"alias":                 {edit("[report/]", "*x"), "15:13", "writes is a list", ""},
		"merge":                 {edit("after:", "<<:"), "13:5", "plain text", ""},
		"tag":                   {edit("python train.py", "!!str x"), "7:10", "run is a text", ""},
		"second document":       {example + "---\nproject: y\n", "21:1", "second document", "one document"},
		"unclosed":              {edit("[model/]", "[model/"), "10:5", "not YAML", "brackets"},
		"not UTF-8":             {"project: \xff\n", "", "UTF-8", ""},
		"a NUL byte":            {"project: a\x00b\n", "", "UTF-8", ""},
		"a folder for a file":   {edit("metrics/train.json", "metrics/"), "10:14", "a file, not a folder", "slash"},
		"empty":                 {"", "1:1", "no name", "project: NAME"},
		"only a comment":        {"# nothing\n", "1:1", "no name", "project: NAME"},
		"terminal repainting":   {edit("python:", "\"\\e[2J\": \u202e"), "2:1", "no key of this name", "choose from"},
		"a hundred brackets":    {"project: " + strings.Repeat("[", 100), "", "nested more than", ""},
		"a hundred nested list": {"project:\n" + strings.Repeat("- ", 100), "", "nested more than", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(tc.file), in("params.yaml"))
			e, ok := errors.AsType[*sallyport.Error](err)
			if !ok || e.Kind != sallyport.Invalid {
				t.Fatalf("got %v, want an error of kind Invalid", err)
			}
			if !strings.Contains(e.Msg, tc.msg) || !strings.Contains(e.Mend, tc.mend) {
				t.Errorf("got  %q, try %q\nwant %q, try %q", e.Msg, e.Mend, tc.msg, tc.mend)
			}
			if tc.place == "" {
				return
			}
			if want := FileName + ":" + tc.place; e.Place != want {
				t.Errorf("place %s, want %s\n%s", e.Place, want, e.Msg)
			}
			if tc.file != "" && !strings.Contains(e.Msg, " | ") {
				t.Errorf("the error does not show the line: %q", e.Msg)
			}
			if strings.ContainsAny(e.Msg, "\x1b\u202e") {
				t.Errorf("the error carries control characters: %q", e.Msg)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for s, want := range map[string]int64{"4GiB": 4 << 30, "512 MiB": 512 << 20, "1.5kB": 1500, "2TB": 2e12,
		"4": 0, "GiB": 0, "-1GiB": 0, "0MB": 0, "1e3MB": 0, "99999999TiB": 0, "0.1.2MB": 0, "4 gib": 0, "infMB": 0, "": 0} {
		if got, err := parseSize(s); got != want || (err != nil) != (want == 0) {
			t.Errorf("parseSize(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
}

func TestOrder(t *testing.T) {
	p := &Project{Stages: []Stage{
		{Name: "report", After: []string{"validate", "train"}}, {Name: "validate", After: []string{"train"}},
		{Name: "train", After: []string{"clean"}}, {Name: "aside"}, {Name: "clean"},
	}}
	for _, tc := range []struct{ names, want string }{
		{"", "aside clean train validate report"},
		{"train", "clean train"},
		{"validate aside", "aside clean train validate"},
		{"report report", "clean train validate report"},
	} {
		stages, err := p.Order(strings.Fields(tc.names)...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range stages {
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("Order(%s) = %v, want %s", tc.names, got, tc.want)
		}
	}
	_, err := p.Order("trian")
	if e, ok := errors.AsType[*sallyport.Error](err); !ok || e.Kind != sallyport.NotFound || e.Mend != "did you mean train?" {
		t.Errorf("got %v", err)
	}
}

func TestLoad(t *testing.T) {
	top := t.TempDir()
	write(t, top, FileName, example)
	repo := filepath.Join(top, "repo")
	write(t, repo, ".git/HEAD", "")
	write(t, repo, "sub/deep/x", "")
	if _, err := Load(filepath.Join(repo, "sub")); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("looked above the root of the repository: %v", err)
	}
	write(t, repo, FileName, string(Starter("starter-1")))
	p, err := Load(filepath.Join(repo, "sub", "deep"))
	if err != nil {
		t.Fatalf("the starter does not load: %v", err)
	}
	if real, _ := filepath.EvalSymlinks(repo); p.Name != "starter-1" || p.Dir != real {
		t.Errorf("got %s in %s", p.Name, p.Dir)
	}
	if _, err := Load(filepath.Join(top, "nowhere")); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("a missing folder: %v", err)
	}
	write(t, repo, FileName, example+strings.Repeat("#\n", maxFile))
	if _, err := Load(repo); !sallyport.Is(err, sallyport.Limit) {
		t.Errorf("a huge file: %v", err)
	}
	if err := os.Remove(filepath.Join(repo, FileName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(repo, FileName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(repo); !sallyport.Is(err, sallyport.Invalid) {
		t.Errorf("a folder: %v", err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Whatever parses keeps what a run relies on: clean inner paths, no shared
// places, an order that respects after.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add(Starter("x"))
	f.Add([]byte("project: x\nstages: {a: {run: r, writes: [m]}, b: {run: r, after: [a], reads: [m/x]}}\n"))
	f.Add([]byte("project: x\nstages:\n  ? a\n  : run: |\n      two\n      lines\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxFile {
			return
		}
		p, err := parse(b, func(path string) bool { return strings.HasSuffix(path, "s") })
		if err != nil {
			if e, ok := errors.AsType[*sallyport.Error](err); !ok || e.Kind != sallyport.Invalid {
				t.Fatalf("an error without place and mend: %#v", err)
			}
			return
		}
		var taken []string
		for _, in := range p.Data {
			taken = append(taken, in.Path)
		}
		for _, s := range p.Stages {
			taken = append(taken, s.Writes...)
		}
		for i, a := range taken {
			if !filepath.IsLocal(filepath.FromSlash(strings.TrimSuffix(a, "/"))) {
				t.Fatalf("path %q leaves the project", a)
			}
			for _, b := range taken[:i] {
				if overlap(a, b) {
					t.Fatalf("%q and %q overlap", a, b)
				}
			}
		}
		stages, err := p.Order()
		if err != nil || len(stages) != len(p.Stages) {
			t.Fatalf("order has %d of %d stages, %v", len(stages), len(p.Stages), err)
		}
		seen := map[string]bool{}
		for _, s := range stages {
			for _, a := range s.After {
				if !seen[a] {
					t.Fatalf("%s comes before %s", s.Name, a)
				}
			}
			seen[s.Name] = true
		}
	})
}
