package sources

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// matchProgram looks for the first keys of a program that torch.export wrote
// (torch/_export/serde/schema.py).
func matchProgram(f *inspect.File, head []byte) inspect.Fit {
	b := bytes.TrimLeft(head, " \t\r\n")
	if len(b) == 0 || b[0] != '{' || f.Ext() != ".json" {
		return inspect.No
	}
	if bytes.Contains(head, []byte(`"graph_module"`)) {
		return inspect.Maybe
	}
	if base := f.Base(); base == "serialized_exported_program.json" || strings.HasPrefix(f.Name, "models/") || strings.Contains(f.Name, "/models/") {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectProgram judges the operators of an exported program, which it has read
// as such if it has a graph.
func inspectProgram(p *inspect.Pass, f *inspect.File) error {
	if ok, err := isProgram(f); !ok || err != nil {
		return inspect.ErrNotThis
	}
	p.Allow()
	in := json.NewReader(f.Reader())
	in.Literals = true
	key := ""
	for {
		t, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = p.Step(1)
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case json.Key:
			key = t.String()
			continue
		case json.String:
			if key == "target" {
				judgeTarget(p, f, t.Off, t.String())
			}
		}
		key = ""
	}
}

// isProgram reports whether the document has a graph module at its top.
func isProgram(f *inspect.File) (bool, error) {
	in := json.NewReader(f.Reader())
	in.Literals = true
	for {
		t, err := in.Next()
		if err != nil {
			return false, err
		}
		if t.Kind != json.Key || in.Depth() != 1 {
			continue
		}
		if t.Is("graph_module") {
			return true, nil
		}
		if err := in.Skip(); err != nil {
			return false, err
		}
	}
}

// judgeTarget judges what a node calls: an operator, or a function of Python by
// its full name, which loading looks up. Inputs and outputs have targets of the
// program's own, which are names without these beginnings.
func judgeTarget(p *inspect.Pass, f *inspect.File, off int64, target string) {
	if op, ok := strings.CutPrefix(target, "torch.ops."); ok {
		parts := strings.Split(op, ".")
		if len(parts) < 2 {
			parts = append(parts, "")
		}
		judgeOp(p, f, off, parts[0]+"::"+parts[1])
		return
	}
	switch head, name, _ := strings.Cut(target, "."); {
	case plainFunctions()[target], (head == "operator" || head == "_operator" || head == "math") && plainFunctions()[name]:
		return
	case !strings.HasPrefix(target, "_operator") && head != "operator" && !strings.HasPrefix(target, "math") && !strings.HasPrefix(target, "torch") && !strings.HasPrefix(target, "#"):
		return // loading looks nothing up
	}
	p.Find(f, inspect.Finding{Rule: ruleOp, Verdict: inspect.Suspicious, Offset: off, What: target, Why: "it is no function that exported programs call"})
}

// plainFunctions are those of operator, math and torch that symbolic shapes need.
var plainFunctions = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(`add sub mul floordiv truediv mod pow neg pos abs eq ne lt le gt ge and_ or_ xor not_ getitem index lshift rshift
		is_ is_not contains truth floor ceil trunc round sqrt log exp sin cos tan
		torch.sym_float torch.sym_int torch.sym_ite torch.sym_max torch.sym_min torch.sym_not torch.sym_sum torch._sym_sqrt torch._sym_log2`) {
		out[name] = true
	}
	return out
})
