package trees

import (
	"io"
	"strings"
)

// An lgTree is one tree of a LightGBM model. A child below zero is the leaf of
// its complement.
type lgTree struct {
	off         int64
	lengths     map[string]int // of arrays of which the values do not matter
	left, right []int32
	features    []int32
	decisions   []int32
	thresholds  []int32 // whole ones, which splits by category have
	bounds      []int32 // cat_boundaries
	leaves      int64
	cats        int64
	linear      bool
	counts      []int32 // leaf_features of linear trees are not kept: num_features of each leaf
	used        int     // leaf_features that there are
	worst       int32   // the greatest of them
	last        bool
}

// read reads a tree up to the line that begins the next or ends all, and returns
// where that is.
func (t *lgTree) read(m *forest) (next int64, err error) {
	for {
		off := m.l.off
		key, valued, err := m.l.key()
		switch {
		case err == io.EOF:
			t.last = true // versions 1.x wrote no line behind the trees
			return off, nil
		case err != nil:
			return 0, err
		case key == "end of trees", !valued && strings.HasPrefix(key, "feature"):
			t.last = true
			return off, nil
		case key == "Tree" && valued:
			return off, m.l.rest()
		case !valued:
			continue
		}
		if err := t.line(m, key); err != nil {
			return 0, err
		}
	}
}

// line reads the values of one key.
func (t *lgTree) line(m *forest, key string) (err error) {
	if err := m.p.Step(1); err != nil {
		return err
	}
	switch key {
	case "num_leaves", "num_cat", "is_linear":
		var one []int32
		if err := m.l.ints(&one); err != nil {
			return err
		}
		n := int64(-1)
		if len(one) == 1 {
			n = int64(one[0])
		}
		switch key {
		case "num_leaves":
			t.leaves = n
		case "num_cat":
			t.cats = n
		default:
			t.linear = n == 1
		}
		return nil
	case "left_child":
		return m.l.ints(&t.left)
	case "right_child":
		return m.l.ints(&t.right)
	case "split_feature":
		return m.l.ints(&t.features)
	case "decision_type":
		return m.l.ints(&t.decisions)
	case "cat_boundaries":
		return m.l.ints(&t.bounds)
	case "num_features":
		return m.l.ints(&t.counts)
	case "leaf_features":
		t.used, err = m.l.each(func(value string) error {
			n := whole(value)
			if n < 0 {
				n = 1<<31 - 1
			}
			t.worst = max(t.worst, clamp(n))
			return nil
		})
		return err
	case "threshold":
		_, err := m.l.each(func(value string) error { return add(&t.thresholds, m.l.off, whole(value)) })
		return err
	}
	t.lengths[key], err = m.l.each(nil)
	return err
}

// judge reports what is wrong with the tree.
func (t *lgTree) judge(m *forest) {
	if f := t.check(m.features); f != nil {
		m.flaw(t.off, f)
	}
}

func (t *lgTree) check(features int64) *flaw {
	if t.leaves < 1 || t.lengths["leaf_value"] != int(t.leaves) {
		return &flaw{false, "num_leaves"}
	}
	inner := int(t.leaves) - 1
	for key, n := range map[string]int{"left_child": len(t.left), "right_child": len(t.right), "split_feature": len(t.features), "threshold": len(t.thresholds)} {
		if n != inner {
			return &flaw{false, key}
		}
	}
	if n := len(t.decisions); n != inner && n != 0 {
		return &flaw{false, "decision_type"}
	}
	for _, f := range t.features {
		if f < 0 || int64(f) > features {
			return &flaw{true, "split_feature"}
		}
	}
	if f := t.categories(); f != nil {
		return f
	}
	if f := t.linears(features); f != nil {
		return f
	}
	return t.shape(inner)
}

// shape wants every inner node and every leaf to be reached once.
func (t *lgTree) shape(inner int) *flaw {
	if inner == 0 {
		return nil
	}
	leaves := make([]bool, t.leaves)
	again := false
	leaf := func(c int32) bool {
		if c >= 0 {
			return true
		}
		if c = ^c; int64(c) >= t.leaves {
			return false
		}
		again = again || leaves[c]
		leaves[c] = true
		return true
	}
	seen, f := reach(inner, func(node int32) (int32, int32, bool, bool) {
		left, right := t.left[node], t.right[node]
		return left, right, true, leaf(left) && leaf(right)
	})
	if f != nil {
		return f
	}
	for _, ok := range append(seen, leaves...) {
		if !ok || again {
			return &flaw{false, "a node or leaf is reached twice or never"}
		}
	}
	return nil
}

// categories wants every split by category to have its part of the bit sets.
func (t *lgTree) categories() *flaw {
	if t.cats < 0 || t.cats > maxNodes || t.cats > 0 && len(t.bounds) != int(t.cats)+1 {
		return &flaw{false, "num_cat"}
	}
	if t.cats > 0 && int(t.bounds[t.cats]) != t.lengths["cat_threshold"] {
		return &flaw{true, "cat_boundaries"}
	}
	for i, b := range t.bounds {
		if b < 0 || i == 0 && b != 0 || i > 0 && b < t.bounds[i-1] {
			return &flaw{true, "cat_boundaries"}
		}
	}
	for i, d := range t.decisions {
		if d&1 != 0 && (t.thresholds[i] < 0 || int64(t.thresholds[i]) >= t.cats) {
			return &flaw{true, "threshold of a category"}
		}
	}
	return nil
}

// linears wants the linear models in the leaves to use features that there are.
func (t *lgTree) linears(features int64) *flaw {
	if !t.linear {
		return nil
	}
	sum := 0
	for _, n := range t.counts {
		if n < 0 || int(n) > t.used {
			return &flaw{true, "num_features"}
		}
		sum += int(n)
	}
	switch {
	case len(t.counts) != int(t.leaves), t.lengths["leaf_const"] != int(t.leaves):
		return &flaw{false, "num_features"}
	case sum != t.used, t.lengths["leaf_coeff"] != t.used:
		return &flaw{false, "leaf_features"}
	case t.used > 0 && int64(t.worst) > features:
		return &flaw{true, "leaf_features"}
	}
	return nil
}
