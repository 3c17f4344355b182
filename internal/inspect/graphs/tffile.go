package graphs

import (
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// asset checks that an asset lies in the folder "assets" beside the model.
func (g *tfGraph) asset(def protobuf.Part) error {
	var tensor, file string
	err := def.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "tensor_info":
			tensor, err = member(v.Message(), "name")
		case "filename":
			file, err = v.String(maxName)
		}
		return err
	})
	if err != nil {
		return err
	}
	if g.assets == nil {
		g.assets = map[string]bool{}
	}
	if len(g.assets) == maxBodies {
		return format.Exceededf(def.Off, "the model has more than %d assets", maxBodies)
	}
	g.assets[tensorNode(tensor)] = true
	if leaves(file) {
		g.p.Find(g.f, inspect.Finding{Rule: ruleFile, Verdict: inspect.Malicious, Offset: def.Off, What: file,
			Why: "it leaves the model's folder of assets: whoever loads it reads another file of the machine"})
		return nil
	}
	beside(g.p, g.f, def.Off, "assets/"+file)
	return nil
}

// contract judges operators that are harmless as honest models use them.
func (g *tfGraph) contract(note string, body *tfBody, n *tfNode) error {
	switch note {
	case "saver":
		return g.names(body, n, map[string]int{"MergeV2Checkpoints": 1}[n.op], note)
	case "asset":
		return g.names(body, n, 1, note)
	case "stream":
		return g.attributeIs(n, "output_stream", "it writes into a file", "stderr", "stdout", "log(info)", "log(warning)", "log(error)")
	case "vocabulary":
		return g.attributeIs(n, "vocab_file", "it reads a file")
	case "descriptor":
		return g.attributeIs(n, "descriptor_source", "it reads a file", "local://")
	}
	g.find(n, inspect.Suspicious, "its condition is unknown")
	return nil
}

// attributeIs wants a text of a node to be empty or one of some.
func (g *tfGraph) attributeIs(n *tfNode, name, why string, wants ...string) error {
	value, ok, err := n.attribute(name)
	if !ok || err != nil {
		return err
	}
	text, err := member(value, "s")
	if err != nil || text == "" {
		return err
	}
	for _, w := range wants {
		if w == text {
			return nil
		}
	}
	g.find(n, inspect.Malicious, why)
	return nil
}

// names judges where an operator that works on a file has the file's name from.
func (g *tfGraph) names(body *tfBody, n *tfNode, input int, policy string) error {
	for i, in := range n.inputs {
		if i != input && (n.op != "MergeV2Checkpoints" || i > 1) {
			continue
		}
		why, err := g.ask(tfAsk{body, tensorNode(in), policy}, 0)
		if err != nil {
			return err
		}
		if why != "" {
			verdict := inspect.Suspicious
			if policy == "saver" {
				verdict = inspect.Malicious
			}
			g.find(n, verdict, "it works on a file outside of saving and loading the model: "+why)
			return nil
		}
	}
	return nil
}
