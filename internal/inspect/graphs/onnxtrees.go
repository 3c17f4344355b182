package graphs

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/protobuf"
)

// An onnxTrees is a TreeEnsemble node under inspection. Runtimes follow the
// indices in its attributes without asking, so they are checked here.
type onnxTrees struct {
	m       *onnxModel
	part    protobuf.Part
	op      string
	columns map[string]protobuf.Part // attributes with lists
	counts  map[string]int64
	single  map[string]int64   // attributes with one number
	seen    map[int64]struct{} // trees
}

// trees checks a TreeEnsemble, TreeEnsembleClassifier or TreeEnsembleRegressor.
func (m *onnxModel) trees(node protobuf.Part, op string) error {
	t := &onnxTrees{m, node, op, map[string]protobuf.Part{}, map[string]int64{}, map[string]int64{}, map[int64]struct{}{}}
	err := node.Again().Fields(func(v protobuf.Value) error {
		if v.Is("attribute") {
			return t.attribute(v.Message().Again())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if op == "TreeEnsemble" {
		return t.ensemble()
	}
	return t.forest()
}

// attribute notes where a list lies and how long it is.
func (t *onnxTrees) attribute(a protobuf.Part) error {
	name := ""
	n := int64(0)
	var one int64
	err := a.Fields(func(v protobuf.Value) (err error) {
		switch v.Name() {
		case "name":
			name, err = v.String(maxName)
		case "i":
			one = v.Int()
		case "ints", "floats", "strings":
			k, err := v.Count()
			n += k
			return err
		case "t":
			tensor, err := t.m.readTensor(v.Message().Again())
			if err != nil {
				return err
			}
			if len(tensor.dims) == 1 {
				n = tensor.dims[0]
			}
		}
		return err
	})
	if err == nil && len(t.counts) < 100 {
		t.columns[name], t.counts[name], t.single[name] = a, n, one
	}
	return err
}

func (t *onnxTrees) bad(why string) { t.m.invalid(t.part.Off, t.op, why) }

// equal reports whether the lists with a prefix, of those that are there, have n
// values, and those that are needed are there.
func (t *onnxTrees) equal(prefix string, n int64, needed ...string) bool {
	for _, name := range needed {
		if _, ok := t.columns[prefix+name]; !ok && n > 0 {
			t.bad("it has no " + prefix + name)
			return false
		}
	}
	for name, count := range t.counts {
		if strings.HasPrefix(name, prefix) && count != n && count > 0 {
			t.bad("its lists about " + strings.TrimSuffix(prefix, "_") + " have different lengths")
			return false
		}
		for _, suffix := range needed {
			if name == prefix+suffix && count != n {
				t.bad("its lists about " + strings.TrimSuffix(prefix, "_") + " have different lengths")
				return false
			}
		}
	}
	return true
}

// forest checks the older form, whose nodes are named by tree and node number.
func (t *onnxTrees) forest() error {
	if !t.equal("nodes_", t.counts["nodes_treeids"], "treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids") {
		return nil
	}
	if err := t.eachTree(); err != nil {
		return err
	}
	prefix, ids, limit := "target_", "ids", t.single["n_targets"]
	if t.op == "TreeEnsembleClassifier" {
		prefix, limit = "class_", max(t.counts["classlabels_int64s"], t.counts["classlabels_strings"])
	}
	if !t.equal(prefix, t.counts[prefix+"treeids"], "treeids", "nodeids", ids) {
		return nil
	}
	err := t.within(prefix+ids, max(limit, 1), "a leaf gives its weight to an output that is not there")
	if err != nil {
		return err
	}
	return t.each(prefix+"treeids", func(id int64) bool { _, ok := t.seen[id]; return ok }, "a leaf is in a tree that is not there")
}

// within checks that each number of a list is at least 0 and below limit.
func (t *onnxTrees) within(name string, limit int64, why string) error {
	return t.each(name, func(n int64) bool { return n >= 0 && n < limit }, why)
}

func (t *onnxTrees) each(name string, ok func(int64) bool, why string) error {
	part, there := t.columns[name]
	if !there {
		return nil
	}
	column := part.Column("ints")
	for {
		n, more := column.Next()
		if !more {
			return column.Err
		}
		if !ok(int64(n)) {
			t.bad(why)
			return nil
		}
	}
}

// eachTree reads the lists about nodes side by side, tree by tree.
func (t *onnxTrees) eachTree() error {
	trees, nodes := t.columns["nodes_treeids"].Column("ints"), t.columns["nodes_nodeids"].Column("ints")
	yes, no := t.columns["nodes_truenodeids"].Column("ints"), t.columns["nodes_falsenodeids"].Column("ints")
	features, modes := t.columns["nodes_featureids"].Column("ints"), t.columns["nodes_modes"].Column("strings")
	one := tree{index: map[int64]int32{}}
	current := int64(0)
	for {
		id, more := trees.Next()
		node, _ := nodes.Next()
		left, _ := yes.Next()
		right, _ := no.Next()
		feature, _ := features.Next()
		if _, ok := modes.Next(); !ok || !more {
			break
		}
		if len(one.children) > 0 && int64(id) != current {
			if !t.finish(&one, current) {
				return nil
			}
		}
		current = int64(id)
		mode, err := modes.Value.String(maxName)
		if err != nil {
			return err
		}
		why, err := one.add(t.part.Off, mode, int64(node), int64(left), int64(right), int64(feature))
		if err != nil {
			return err
		}
		if why != "" {
			t.bad(why)
			return nil
		}
	}
	for _, c := range []*protobuf.Column{trees, nodes, yes, no, features, modes} {
		if c.Err != nil {
			return c.Err
		}
	}
	if len(one.children) > 0 {
		t.finish(&one, current)
	}
	return nil
}

// finish checks a tree that is whole and makes room for the next. It reports
// whether to go on.
func (t *onnxTrees) finish(o *tree, id int64) bool {
	_, twice := t.seen[id]
	why := o.check()
	if twice {
		why = "the nodes of a tree do not stand together"
	}
	if len(t.seen) < maxTree {
		t.seen[id] = struct{}{}
	}
	o.clear()
	if why != "" {
		t.bad(why)
	}
	return why == ""
}
