package trees

import "strconv"

// An xgTree is one tree of an XGBoost model.
type xgTree struct {
	tree
	lengths  map[string]int // of the arrays with an entry for each node
	nodes    int64
	features int64                                    // of the model, as the tree says
	width    int64                                    // values of a leaf
	weights  int                                      // entries of base_weights
	values   int                                      // entries of leaf_weights; -1: none
	cats     struct{ nodes, segments, sizes []int32 } // of splits by category
}

// perNode are the arrays that must have one entry for each node. Those that a
// version does not write are not missed.
var perNode = map[string]bool{
	"default_left": true, "left_children": true, "loss_changes": true, "parents": true, "right_children": true,
	"split_conditions": true, "split_indices": true, "split_type": true, "sum_hessian": true,
}

// maxCategory is the first number that XGBoost does not take for a category:
// single-precision floats are no longer exact.
const maxCategory = 1 << 24

// tree reads one tree and judges it.
func (s *stream) tree(v event, b *booster) error {
	t := &xgTree{tree: tree{off: v.off}, lengths: map[string]int{}, features: -1, values: -1}
	categories, badCategory := 0, false
	err := s.object(v, func(key string, v event) (err error) {
		var list *[]int32
		switch key {
		case "left_children":
			list = &t.left
		case "right_children":
			list = &t.right
		case "parents":
			list = &t.parents
		case "split_indices":
			list = &t.tree.features
		case "categories_nodes":
			list = &t.cats.nodes
		case "categories_segments":
			list = &t.cats.segments
		case "categories_sizes":
			list = &t.cats.sizes
		case "categories":
			categories, err = s.array(v, func(v event) error {
				n, ok := v.int()
				badCategory = badCategory || !ok || n < 0 || n >= maxCategory
				return s.drop(v)
			})
			return err
		case "tree_param":
			return s.treeParam(v, t)
		case "base_weights":
			t.weights, err = s.array(v, s.drop)
			return err
		case "leaf_weights":
			t.values, err = s.array(v, s.drop)
			return err
		default:
			if perNode[key] {
				t.lengths[key], err = s.array(v, s.drop)
				return err
			}
			return s.drop(v)
		}
		if err := s.ints(v, list); err != nil {
			return err
		}
		if perNode[key] {
			t.lengths[key] = len(*list)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if f := t.check(); f != nil {
		s.flaw(t.off, f)
	}
	if badCategory || !t.categoriesFit(categories) {
		s.find(ruleIndex, t.off, "categories", "a split by category leads outside of the tree's categories")
	}
	b.leafWidth = max(b.leafWidth, t.width)
	b.features = max(b.features, t.greatest())
	return nil
}

// treeParam reads the counts of a tree.
func (s *stream) treeParam(v event, t *xgTree) error {
	return s.object(v, func(key string, v event) (err error) {
		switch key {
		case "num_nodes":
			t.nodes, err = s.param(v)
		case "num_feature":
			t.features, err = s.param(v)
		case "size_leaf_vector":
			t.width, err = s.param(v)
		default:
			err = s.drop(v)
		}
		return err
	})
}

// flaw reports what is wrong with a tree.
func (s subject) flaw(off int64, f *flaw) {
	if f.index {
		s.find(ruleIndex, off, f.what, "it leads outside of its tree")
		return
	}
	s.find(ruleShape, off, f.what, "prediction may crash or never end")
}

// noParent is what the root has for its parent; a leaf vector's tree has -1.
const noParent = 1<<31 - 1

// check judges the shape.
func (t *xgTree) check() *flaw {
	n := len(t.left)
	if t.nodes != int64(n) || n == 0 || t.width < 0 {
		return &flaw{false, "num_nodes " + strconv.FormatInt(t.nodes, 10)}
	}
	for key, m := range t.lengths {
		if m != n {
			return &flaw{false, key}
		}
	}
	if len(t.right) != n || len(t.parents) != n || len(t.tree.features) != n {
		return &flaw{false, "left_children"}
	}
	if w := int64(t.weights); w != 0 && w != int64(n) && (t.width < 2 || t.width > w || w != int64(n)*t.width) {
		return &flaw{false, "base_weights"}
	}
	if p := t.parents[0]; p != noParent && p != -1 {
		return &flaw{false, "the root has a parent"}
	}
	seen, f := reach(n, func(node int32) (left, right int32, inner, ok bool) {
		left, right = t.left[node], t.right[node]
		// In a tree of leaf vectors the right child of a leaf is where its values lie.
		if left == -1 && (right == -1 || t.width > 1) {
			return 0, 0, false, right >= -1 && (t.values < 0 || (int64(right)+1)*t.width <= int64(t.values))
		}
		ok = left > 0 && right > 0 && int(left) < n && int(right) < n && t.parents[left] == node && t.parents[right] == node
		return left, right, true, ok
	})
	if f != nil {
		return f
	}
	for node, ok := range seen {
		if !ok && !t.deleted(node) {
			return &flaw{false, "a node that nothing leads to"}
		}
	}
	return nil
}

// deleted reports whether pruning left the node behind.
func (t *xgTree) deleted(node int) bool {
	const marker = 1<<31 - 1 // of 31 bits, or of 32 as a signed or unsigned number
	f := t.tree.features[node]
	return f == marker || f == -1 || f == -1<<31
}

// greatest is the greatest feature that a split looks at, or a number that is
// none if one is negative.
func (t *xgTree) greatest() int32 {
	out := int32(-1)
	for i, f := range t.tree.features {
		if i < len(t.left) && t.left[i] != -1 {
			if f < 0 || t.features >= 0 && int64(f) >= t.features {
				return 1<<31 - 1
			}
			out = max(out, f)
		}
	}
	return out
}

// categoriesFit reports whether every split by category has its part of n
// categories, and is a node of the tree; in order, as the library reads them.
func (t *xgTree) categoriesFit(n int) bool {
	c := &t.cats
	if len(c.nodes) != len(c.segments) || len(c.nodes) != len(c.sizes) {
		return false
	}
	for i, node := range c.nodes {
		if node < 0 || int(node) >= len(t.left) || i > 0 && node <= c.nodes[i-1] {
			return false
		}
		from, size := c.segments[i], c.sizes[i]
		if from < 0 || size <= 0 || int64(from)+int64(size) > int64(n) {
			return false
		}
	}
	return true
}
