package sources

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/python"
	"github.com/sallyport/sallyport/internal/inspect"
)

// matchPython takes files that are called Python or begin as scripts of it do.
// Its text has no signature; what is not text is not Python whatever it is
// called.
func matchPython(f *inspect.File, head []byte) inspect.Fit {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	script := bytes.HasPrefix(head, []byte("#!")) && bytes.Contains(line, []byte("python"))
	if f.Ext() != ".py" && !script || bytes.IndexByte(head, 0) >= 0 || inArchive(f) {
		return inspect.No
	}
	for n := 0; n < utf8.UTFMax; n++ { // head may end within a character
		if n <= len(head) && utf8.Valid(head[:len(head)-n]) {
			return inspect.Maybe
		}
	}
	if bytes.Contains(head, []byte("coding")) {
		return inspect.Maybe // of another encoding, as it says
	}
	return inspect.No
}

func inspectPython(p *inspect.Pass, f *inspect.File) error {
	src, err := sourceOf(f)
	if err != nil {
		return err
	}
	p.Allow()
	c, err := read(src, false)
	if serr := p.Step(len(src) / 8); serr != nil {
		return serr
	}
	by := loadedBy(p, f)
	if by == "" && f.Base() == "handler.py" && c.defs["EndpointHandler"] != nil {
		p.Find(f, inspect.Finding{Rule: ruleHandler, Verdict: inspect.Suspicious, Offset: 0, What: "EndpointHandler", Why: "inference servers import the file and run it"})
		by = "an inference server"
	}
	judge(p, f, c, 0, by)
	return err
}

// sourceOf reads a file of source whole; it may not be large.
func sourceOf(f *inspect.File) (string, error) {
	if f.Size > python.MaxSource {
		return "", format.Exceededf(-1, "source of %d bytes is longer than the %d that are read", f.Size, python.MaxSource)
	}
	b := make([]byte, f.Size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return "", err
	}
	return python.Source(b)
}

// judge reports what a source does. off is where it begins in the file; by says
// who loads it, "" if nobody is known to.
func judge(p *inspect.Pass, f *inspect.File, c *code, off int64, by string) {
	for _, at := range c.strange {
		p.Find(f, inspect.Finding{Rule: ruleDisguise, Verdict: inspect.Suspicious, Offset: off + int64(at.Off), What: "a name", Why: "Python reads other letters in it than people see"})
	}
	onImport := c.onImport()
	for _, d := range c.deeds {
		imported := d.at.Scope == python.Module || d.at.Scope == python.Function && onImport[d.at.Within]
		finding := inspect.Finding{Rule: ruleDeed, Offset: off + int64(d.at.Off), What: d.name, Verdict: weigh(d, imported, by != "")}
		if d.args != "" {
			finding.What += "(" + d.args + ")"
		}
		if d.hidden {
			finding.Rule = ruleHidden
		}
		finding.Why = reasons[d.kind] + ", " + when(d, imported, by)
		p.Find(f, finding)
		if module, name, ok := cutLast(d.name); ok {
			p.Global(module + " " + name)
		}
	}
}

// reasons say what a kind of deed is.
var reasons = map[string]string{
	"shell": "it runs programs", "run": "it runs text as code", "native": "it reaches machine code and memory",
	"network": "it reaches the network", "load": "it loads objects that may run code", "delete": "it changes or deletes files",
}

// when says on what occasion a deed is done.
func when(d deed, imported bool, by string) string {
	switch {
	case imported && by != "":
		return "as soon as " + by + " loads the file"
	case imported:
		return "when the file is imported, which nothing here does"
	case by != "":
		return "in a function of a file that " + by + " loads"
	case d.at.Scope == python.Script:
		return "when somebody runs the file"
	}
	return "in a function that nothing here loads"
}

// weigh is the verdict on a deed.
func weigh(d deed, imported, loaded bool) inspect.Verdict {
	switch {
	case d.hidden && (imported || loaded):
		return inspect.Malicious
	case d.hidden:
		return inspect.Suspicious
	case !d.called && !loaded:
		return inspect.Allowed
	case loaded && imported && d.called && (d.kind == "shell" || d.kind == "run" || d.kind == "native" || d.kind == "network"):
		return inspect.Malicious
	case loaded && d.called:
		return inspect.Suspicious
	case d.kind == "shell" && imported && fetches(d.args):
		return inspect.Malicious
	case d.kind == "shell" && fetches(d.args):
		return inspect.Suspicious
	}
	return inspect.Allowed
}

// fetches reports whether a command gets a program from elsewhere and runs it.
func fetches(command string) bool {
	gets := strings.Contains(command, "curl ") || strings.Contains(command, "wget ") || strings.Contains(command, "/dev/tcp/") || strings.Contains(command, "base64 -d")
	_, pipe, ok := strings.Cut(command, "|")
	pipe = " " + strings.TrimSpace(pipe)
	return strings.Contains(command, "/dev/tcp/") || gets && ok && (strings.Contains(pipe, " sh") || strings.Contains(pipe, " bash") || strings.Contains(pipe, " python"))
}

func cutLast(name string) (module, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "builtins", name, name != ""
	}
	return name[:i], name[i+1:], true
}

// loadedBy names the configuration beside f because of which libraries run f:
// one that names its module, or a module that imports it.
func loadedBy(p *inspect.Pass, f *inspect.File) string {
	var found string
	seen := map[string]bool{}
	var open []string
	for _, name := range configNames {
		for _, module := range modulesOf(p, f, name) {
			if !seen[module] {
				seen[module] = true
				open = append(open, module)
				if found == "" {
					found = name
				}
			}
		}
	}
	const most = 64
	for n := 0; len(open) > 0 && n < most; n++ {
		module := open[0]
		open = open[1:]
		name := f.Beside(strings.ReplaceAll(module, ".", "/") + ".py")
		if name == f.Name {
			return found
		}
		for _, m := range imports(p, f, name) {
			if !seen[m] {
				seen[m] = true
				open = append(open, m)
			}
		}
	}
	return ""
}

// imports are the modules that a file beside f imports from its own folder.
func imports(p *inspect.Pass, f *inspect.File, name string) []string {
	other, err := f.Around.Open(name)
	if err != nil {
		return nil
	}
	defer other.Close()
	src, err := sourceOf(other)
	if err != nil {
		return nil
	}
	if p.Step(len(src)/8) != nil {
		return nil // the file's own reading meets the same limit
	}
	c, _ := read(src, false)
	return c.relative
}
