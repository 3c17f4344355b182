package graphs

import "github.com/sallyport/sallyport/internal/format"

// maxTree bounds the nodes of one tree, which are held in memory.
const maxTree = 1 << 20

// A tree is one tree of an ensemble, whose nodes go by numbers.
type tree struct {
	index    map[int64]int32 // by node number
	children [][2]int64      // node numbers; -1: a leaf
}

// add puts a node into the tree, or says what is wrong with it. Off is where the
// tree is.
func (o *tree) add(off int64, mode string, id, left, right, feature int64) (why string, err error) {
	if len(o.children) == maxTree {
		return "", format.Exceededf(off, "a tree has more than %d nodes", maxTree)
	}
	if _, twice := o.index[id]; twice {
		return "two nodes of a tree have one number", nil
	}
	if feature < 0 {
		return "a node asks for a feature below 0", nil
	}
	o.index[id] = int32(len(o.children))
	switch mode {
	case "LEAF":
		o.children = append(o.children, [2]int64{-1, -1})
	case "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER":
		if left < 0 || right < 0 {
			return "a branch leads to a node below 0", nil
		}
		o.children = append(o.children, [2]int64{left, right})
	default:
		return "a node is neither a leaf nor a branch of a known kind", nil
	}
	return "", nil
}

// clear makes room for the next tree.
func (o *tree) clear() {
	clear(o.index)
	o.children = o.children[:0]
}

// check wants every branch to lead to a node of the tree, no node to have two
// parents, and all of them to hang on one root: then no walk goes in a circle.
func (o *tree) check() string {
	parents := make([]uint8, len(o.children))
	next := make([][2]int32, len(o.children))
	for i, c := range o.children {
		next[i] = [2]int32{-1, -1}
		for side, id := range c {
			if id < 0 {
				continue
			}
			to, ok := o.index[id]
			if !ok {
				return "a branch leads to a node that its tree does not have"
			}
			if parents[to]++; parents[to] > 1 {
				return "two branches lead to one node"
			}
			next[i][side] = to
		}
	}
	switch top := roots(parents); {
	case len(top) == 0:
		return "a tree has no root: its branches lead in a circle"
	case len(top) > 1:
		return "a tree has two roots"
	case reached(next, top) < len(next):
		return "branches of a tree lead in a circle"
	}
	return ""
}

// roots lists the nodes without parents.
func roots(parents []uint8) (top []int32) {
	for i, n := range parents {
		if n == 0 {
			top = append(top, int32(i))
		}
	}
	return top
}

// reached counts the nodes that lie below the roots. Where each node has one
// parent at most, all others lie in a circle.
func reached(next [][2]int32, roots []int32) (n int) {
	for stack := roots; len(stack) > 0; n++ {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, to := range next[at] {
			if to >= 0 {
				stack = append(stack, to)
			}
		}
	}
	return n
}
