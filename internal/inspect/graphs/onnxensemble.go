package graphs

import (
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
)

// ensemble checks the form of ai.onnx.ml 5: one list of inner nodes, one of
// leaves, and where each tree has its root.
func (t *onnxTrees) ensemble() error {
	nodes, leaves := t.counts["nodes_featureids"], t.counts["leaf_targetids"]
	switch {
	case !t.equal("nodes_", nodes, "featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs"):
		return nil
	case !t.equal("leaf_", leaves, "targetids"):
		return nil
	case nodes > maxTree:
		return format.Exceededf(t.part.Off, "an ensemble has more than %d nodes", maxTree)
	}
	limits := map[string]int64{"nodes_featureids": 1 << 62, "tree_roots": nodes, "leaf_targetids": max(t.single["n_targets"], 1)}
	for name, limit := range limits {
		if err := t.within(name, limit, "an index in "+name+" is out of range"); err != nil {
			return err
		}
	}
	next := make([][2]int32, nodes)
	parents := make([]uint8, nodes)
	for side, of := range []string{"true", "false"} {
		why, err := t.links(of, side, leaves, next, parents)
		if err == nil && why != "" {
			t.bad(why)
		}
		if err != nil || why != "" {
			return err
		}
	}
	if reached(next, roots(parents)) < len(next) {
		t.bad("branches of a tree lead in a circle")
	}
	return nil
}

// links reads where one side of each node leads: to a leaf or to a node.
func (t *onnxTrees) links(of string, side int, leaves int64, next [][2]int32, parents []uint8) (why string, err error) {
	to, leaf := t.columns["nodes_"+of+"nodeids"].Column("ints"), t.columns["nodes_"+of+"leafs"].Column("ints")
	for i := range next {
		id, ok := to.Next()
		isLeaf, ok2 := leaf.Next()
		next[i][side] = -1
		switch {
		case !ok || !ok2:
			return "its lists about nodes have different lengths", firstErr(to, leaf)
		case isLeaf != 0 && id < uint64(leaves):
		case isLeaf == 0 && id < uint64(len(next)):
			next[i][side] = int32(id)
			if parents[id]++; parents[id] > 1 {
				return "two branches lead to one node", nil
			}
		default:
			return "a branch leads to a node or a leaf that is not there", nil
		}
	}
	return "", firstErr(to, leaf)
}

func firstErr(columns ...*protobuf.Column) error {
	for _, c := range columns {
		if c.Err != nil {
			return c.Err
		}
	}
	return nil
}
