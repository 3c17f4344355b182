package sallyport

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the import path of the root.
const module = "github.com/sallyport/sallyport"

// layers is the architecture. A package imports packages of the lines below its
// own, never of its own line or above. A name stands for internal/NAME.
const layers = `
	cmd/sallyport
	site
	door  erase
	run  twin
	deps
	scan  evidence
	bom  installed
	advisory  lockfile  lookalike  pep740  vex
	inspect/archives  inspect/configs  inspect/graphs  inspect/keras  inspect/pickles  inspect/sources  inspect/trees
	inspect/configs/objects  inspect/tensors
	inspect
	format/flat  format/gguf  format/hdf5  format/jinja  format/msgpack  format/npy  format/pickle  format/protobuf  format/python  format/sevenzip  format/tar  format/ubjson  format/xml  format/zip
	format/json  format/squash
	dataset  env  project  launch
	format/toml  format/outline  dist
	sandbox  format  format/yaml  ledger  pep508
	blob  pep440
	state  seal  flock  lazyregexp  purl  sarif  examples
	root
`

// beside are packages that tests and measurements use. No package of the layers
// imports them, and they import each other downwards.
const beside = `
	bench
	adversary  crash  oracle
`

// outside lists every module from elsewhere, which packages may import it, and
// what for. What only tests import is not listed.
const outside = `
	filippo.io/age               seal                          wraps keys for people
	github.com/BurntSushi/toml   format/toml                   the decoder, within bounds
	github.com/goccy/go-yaml     format/yaml project inspect/configs advisory deps sallyport.yaml, with positions; YAML beside models, as a tree; advisories, the policy
	github.com/pandatix/go-cvss  advisory                      scores of advisories
	github.com/klauspost/compress bench blob format/squash inspect/archives format/zip format/sevenzip S2 compression of segments; deflate and Zstandard
	github.com/pierrec/lz4/v4    format/squash adversary       LZ4 frames
	github.com/spf13/cobra       cmd/sallyport                 commands, completion
	github.com/ulikunitz/xz      adversary                     xz and LZMA to hide things in
	golang.org/x/crypto          evidence                      BLAKE2 of model signatures made elsewhere
	golang.org/x/mod             ledger evidence pep740 site   the Merkle log and signed notes
	golang.org/x/net             sandbox crash                 filter programs, DNS messages
	golang.org/x/sys             *                             the operating system, where os does not reach
	golang.org/x/term            cmd/sallyport                 passphrases and progress
	modernc.org/sqlite           state                         rows
`

// guarded lists the packages of the standard library that undo what the rest of
// the program is built on, which packages may import them, and what for.
const guarded = `
	C                 -                               the binary is built without a C compiler
	plugin            -                               files from outside are never loaded
	encoding/gob      -                               files from outside are never deserialised
	unsafe            sandbox crash                   system calls that take pointers to structures
	os/exec           cmd/sallyport deps env project sandbox crash bench oracle  demo; curl; uv and pip; git; the confined program; the traced one; peers; other people's implementations
	net/http          -                               nothing speaks to the network but the sandbox, for hosts that are allowed
	net/rpc           -                               the same
	html/template     erase                           the certificate's page; nothing serves pages
`

// TestLayers holds every package's imports, on every operating system, against
// the architecture above.
func TestLayers(t *testing.T) {
	for _, v := range violations(packages(t)) {
		t.Error(v)
	}
}

// TestPackageComments wants to read what every package is for.
func TestPackageComments(t *testing.T) {
	for name, p := range packages(t) {
		want := "Package " + path.Base(name) + " "
		switch {
		case name == "root":
			want = "Package sallyport "
		case p.command:
			want = "" // any: a command is described by what it does
		}
		if p.comment == "" || !strings.HasPrefix(p.comment, want) {
			t.Errorf("%s: its comment does not begin with %q", name, want)
		}
	}
}

// A goPackage is what the tests know of one package, without its test files.
type goPackage struct {
	imports map[string]string // import path to a file that has it
	comment string
	command bool
}

// packages reads every package of the module from its files, whatever their
// build constraints, by the names of the layers.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	all := map[string]goPackage{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() {
			if name != "." && (name[0] == '.' || name[0] == '_') || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		name := short(path.Join(module, filepath.ToSlash(filepath.Dir(file))))
		p, ok := all[name]
		if !ok {
			p.imports = map[string]string{}
		}
		p.command = f.Name.Name == "main"
		if f.Doc != nil {
			p.comment += f.Doc.Text()
		}
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			p.imports[imported] = file
		}
		all[name] = p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// short returns the name that the layers have for one of our import paths, or
// "" for any other.
func short(imported string) string {
	if imported == module {
		return "root"
	}
	rest, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return ""
	}
	return strings.TrimPrefix(rest, "internal/")
}

// violations returns every import that the texts do not allow.
func violations(all map[string]goPackage) []string {
	depth := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(layers), "\n") {
		for name := range strings.FieldsSeq(line) {
			depth[name] = i + 1
		}
	}
	aside := strings.Fields(beside)
	for i, line := range strings.Split(strings.TrimSpace(beside), "\n") {
		for name := range strings.FieldsSeq(line) {
			depth[name] = i + 1
		}
	}
	modules, std := grants(outside), grants(guarded)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if depth[name] == 0 && !slices.Contains(aside, name) {
			out = append(out, fmt.Sprintf("%s is in no layer: say in deps_test.go where it belongs", name))
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(all[name].imports)) {
			if why := forbidden(name, imported, depth, aside, modules, std); why != "" {
				out = append(out, fmt.Sprintf("%s: %s imports %s: %s", all[name].imports[imported], name, imported, why))
			}
		}
	}
	return out
}

// forbidden says why a package may not have an import, or "".
func forbidden(name, imported string, depth map[string]int, aside []string, modules, std map[string][]string) string {
	if ours := short(imported); ours != "" {
		switch {
		case slices.Contains(aside, ours) && !slices.Contains(aside, name):
			return "it is for tests and measurements"
		case slices.Contains(aside, ours) && depth[ours] <= depth[name]:
			return "it is not below"
		case slices.Contains(aside, name):
			return ""
		case depth[ours] <= depth[name]:
			return "it is not in a layer below"
		}
		return ""
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		if may, ok := std[imported]; ok && !slices.Contains(may, name) {
			return "that package is guarded"
		}
		return ""
	}
	if name == "root" {
		return "the root imports the standard library only"
	}
	for module, may := range modules {
		if imported == module || strings.HasPrefix(imported, module+"/") {
			if may[0] == "*" || slices.Contains(may, name) {
				return ""
			}
			return "that module is for others"
		}
	}
	return "that module is not listed"
}

// grants reads lines of an import path, packages of ours, and a reason that
// follows after at least two spaces.
func grants(text string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		imported, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		may, _, _ := strings.Cut(strings.TrimSpace(rest), "  ")
		out[imported] = strings.Fields(may)
	}
	return out
}

// TestLayersNotice proves that the test of the layers can fail.
func TestLayersNotice(t *testing.T) {
	for _, c := range []struct {
		name, imported string
		allowed        bool
	}{
		{"site", module, true},
		{"site", module + "/internal/run", true},
		{"cmd/sallyport", module + "/internal/seal", true},
		{"run", module + "/internal/site", false},
		{"run", module + "/internal/twin", false},
		{"state", module + "/internal/seal", false},
		{"root", module + "/internal/seal", false},
		{"site", module + "/internal/nowhere", false},
		{"site", module + "/internal/crash", false},
		{"bench", module + "/internal/site", true},
		{"bench", module + "/internal/crash", true},
		{"crash", module + "/internal/bench", false},
		{"run", module + "/internal/adversary", false},
		{"seal", "filippo.io/age/armor", true},
		{"blob", "filippo.io/age", false},
		{"blob", "filippo.io/agent", false},
		{"root", "golang.org/x/sys/unix", false},
		{"blob", "golang.org/x/sys/unix", true},
		{"root", "crypto/sha256", true},
		{"sandbox", "unsafe", true},
		{"format", "unsafe", false},
		{"format", "os/exec", false},
		{"cmd/sallyport", "encoding/gob", false},
		{"cmd/sallyport", "C", false},
		{"astray", "fmt", false},
	} {
		got := violations(map[string]goPackage{c.name: {imports: map[string]string{c.imported: "x.go"}}})
		if allowed := len(got) == 0; allowed != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v: %q", c.name, c.imported, allowed, c.allowed, got)
		}
	}
}
