package trees

import (
	"github.com/sallyport/sallyport/internal/format"
)

// maxNodes is how many nodes one tree may have: what is kept of each takes some
// twenty bytes.
const maxNodes = 512 << 10

// A tree is what is kept of one tree of any library, by arrays of one length.
// left and right hold the child, or what leaf() takes for none.
type tree struct {
	off                  int64
	left, right, parents []int32
	features             []int32
}

// add appends n to a list of what a tree has for each node or category.
func add(list *[]int32, off, n int64) error {
	if len(*list) >= maxNodes {
		return format.Exceededf(off, "a tree of more than %d nodes", maxNodes)
	}
	*list = append(*list, clamp(n))
	return nil
}

// clamp makes n an int32; what does not fit becomes a number that is no index.
func clamp(n int64) int32 {
	if n < -1<<31 || n > 1<<31-1 {
		return -1 << 31
	}
	return int32(n)
}

// A flaw is what is wrong with a tree.
type flaw struct {
	index bool // an index leaves; otherwise the shape is wrong
	what  string
}

// reach follows the children from the root of n nodes on. next returns the
// children of a node, none for a leaf, and false if one leaves the tree. Every
// node may be reached once only; it returns which were.
func reach(n int, next func(node int32) (left, right int32, inner, ok bool)) ([]bool, *flaw) {
	seen := make([]bool, n)
	if n == 0 {
		return seen, nil
	}
	seen[0] = true
	open := []int32{0}
	for len(open) > 0 {
		node := open[len(open)-1]
		open = open[:len(open)-1]
		left, right, inner, ok := next(node)
		if !ok {
			return seen, &flaw{true, "child"}
		}
		if !inner {
			continue
		}
		for _, c := range [...]int32{right, left} {
			if c < 0 {
				continue
			}
			if int(c) >= n {
				return seen, &flaw{true, "child"}
			}
			if seen[c] {
				return seen, &flaw{false, "a node is reached twice"}
			}
			seen[c] = true
			open = append(open, c)
		}
	}
	return seen, nil
}
