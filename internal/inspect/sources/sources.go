// Package sources judges code that lies beside or within a model as source:
// Python files, Jupyter notebooks, the code of TorchScript archives, exported
// programs, and the configurations that have libraries load such files. It also
// knows native programs when it sees them.
//
// Whether source may pass turns on who runs it. What a loader runs is judged as
// strictly as code in a pickle. A script that nothing loads is told of, and stops
// nothing unless it hides what it does: whether to run it is for people.
package sources

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect"
)

// Readings are the formats that the package knows.
var Readings = []inspect.Reading{
	{Format: "torchscript-code", Extensions: []string{".py"}, Match: matchTorchScript, Inspect: inspectTorchScript},
	{Format: "python", Extensions: []string{".py"}, Match: matchPython, Inspect: inspectPython},
	{Format: "notebook", Extensions: []string{".ipynb"}, Match: matchNotebook, Inspect: inspectNotebook},
	{Format: "exported-program", Match: matchProgram, Inspect: inspectProgram},
	{Format: "huggingface-config", Wraps: true, Match: matchConfig, Inspect: inspectConfig},
	{Format: "native-code", Match: matchNative, Inspect: inspectNative},
}

var (
	ruleHidden = &inspect.Rule{ID: "source-hidden", Title: "Source decodes or fetches other code and runs it.",
		Mend: "do not run or load it; code that hides what it does has no place beside a model", CWE: 506, Code: true}
	ruleDeed = &inspect.Rule{ID: "source-call", Title: "Source uses what reaches beyond computing.",
		Mend: "read the source at this place before anybody runs it", CWE: 94, Code: true}
	ruleDisguise = &inspect.Rule{ID: "source-disguise", Title: "Source is written so that people read something else than programs do.",
		Mend: "do not run or load it; have it written in plain letters", CWE: 1007}
	ruleRemote = &inspect.Rule{ID: "config-remote-code", Title: "A configuration has libraries run a Python file that comes with the model.",
		Mend: "use a model that its library knows, or read the named files and have a reviewer waive this very file", CWE: 829}
	ruleNamed = &inspect.Rule{ID: "config-class", Title: "A configuration names a class for a library to import that is not known.",
		Mend: "find out where the class comes from before loading the model", CWE: 470}
	ruleHandler = &inspect.Rule{ID: "source-handler", Title: "A file that inference servers run by its name.",
		Mend: "read it before the model is deployed, and have a reviewer waive this very file", CWE: 829}
	ruleOutput = &inspect.Rule{ID: "notebook-script", Title: "Output of a notebook holds scripts, which run where the notebook is trusted.",
		Mend: "clear the notebook's outputs and save it again", CWE: 79}
	ruleOp = &inspect.Rule{ID: "torch-op", Title: "The program calls an operator that is not known, or that reaches files.",
		Mend: "export the model without it, or have a reviewer waive this very file", CWE: 829, Code: true}
	ruleNative = &inspect.Rule{ID: "native-code", Title: "The file is a program or library in machine code or Python's bytecode.",
		Mend: "get the library from where it is published; nothing can be told about compiled code here", CWE: 829}
)

// Rules are all that the package can report.
var Rules = []*inspect.Rule{ruleHidden, ruleDeed, ruleDisguise, ruleRemote, ruleNamed, ruleHandler, ruleOutput, ruleOp, ruleNative}

//go:embed deeds.txt
var deedsText string

//go:embed ops.txt
var opsText string

//go:embed classes.txt
var classesText string

// table parses lines of words: what the words after the first lead to is the
// first. "#" begins a comment.
func table(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		for i, w := range words {
			if i > 0 {
				out[w] = words[0]
			}
		}
	}
	return out
}

var (
	deeds   = sync.OnceValue(func() map[string]string { return table(deedsText) })
	ops     = sync.OnceValue(func() map[string]string { return table(opsText) })
	classes = sync.OnceValue(func() map[string]string { return table(classesText) })
)
