package trees

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// The old binary form (removed in XGBoost 3.1) is the parameters of the learner
// as they lay in memory, two names, and the booster's own parameters and arrays.
const (
	learnerParamSize = 136
	gbtreeParamSize  = 160
	treeParamSize    = 148
	linearParamSize  = 136
	nodeSize         = 20
	statSize         = 16
	maxName          = 128
)

var binaryMagic = []byte("binf")

func matchXGBoostBinary(f *inspect.File, head []byte) inspect.Fit {
	if bytes.HasPrefix(head, binaryMagic) {
		return inspect.Yes
	}
	// Version 0.x wrote no magic: the name of the objective and that of the
	// booster, each behind its length, are as sure as one.
	objective, rest := lengthAndName(head, learnerParamSize)
	gbm, _ := lengthAndName(head, rest)
	if objective != "" && known()["xgboost-objective "+objective] && known()["xgboost-booster "+gbm] {
		return inspect.Yes
	}
	return inspect.No
}

// lengthAndName reads a short name behind its length at off.
func lengthAndName(head []byte, off int) (name string, end int) {
	if off < 0 || len(head) < off+8 {
		return "", -1
	}
	n := binary.LittleEndian.Uint64(head[off:])
	if n > maxName || uint64(len(head)-off-8) < n {
		return "", -1
	}
	return string(head[off+8 : off+8+int(n)]), off + 8 + int(n)
}

func inspectXGBoostBinary(p *inspect.Pass, f *inspect.File) error {
	s := subject{p, f}
	c := f.Cursor()
	if b := c.Peek(int(min(4, f.Size))); bytes.Equal(b, binaryMagic) {
		c.Skip(4)
	}
	b := booster{off: c.Offset(), dropped: -1, features: -1, class: -1}
	c.Skip(4) // base_score
	features, classes := int64(c.U32()), int64(int32(c.U32()))
	attributes, metrics := c.U32(), c.U32()
	c.Skip(8) // version
	targets := int64(max(c.U32(), 1))
	c.Move(b.off + learnerParamSize)
	s.nameAt(c, "xgboost-objective")
	gbm := s.nameAt(c, "xgboost-booster")
	if c.Err() != nil {
		return c.Err()
	}
	var err error
	if b.linear = gbm == "gblinear"; b.linear {
		c.Skip(linearParamSize)
		n := c.Count(c.U64(), 4)
		c.Skip(4 * int64(n))
		b.weights = n
	} else {
		err = s.binaryTrees(c, &b, gbm == "dart")
	}
	if err == nil {
		err = s.binaryTail(c, attributes, metrics)
	}
	if err != nil {
		return err
	}
	s.agreeBinary(&b, features, classes, targets)
	return nil
}

func (s subject) agreeBinary(b *booster, features, classes, targets int64) {
	(&stream{subject: s}).agree(b, features, max(classes, 1)*targets, classes, targets)
}

// nameAt reads a name behind its length and reports it if it is unknown.
func (s subject) nameAt(c *format.Cursor, kind string) string {
	off := c.Offset()
	name := c.String(c.U64(), maxName)
	if c.Err() == nil {
		s.name(off, kind, name)
	}
	return name
}

// binaryTrees reads the trees of gbtree and what dart has behind them.
func (s subject) binaryTrees(c *format.Cursor, b *booster, dart bool) error {
	n := int64(int32(c.U32()))
	c.Skip(gbtreeParamSize - 4)
	if n < 0 {
		return format.Brokenf(c.Offset(), "a number of trees below zero")
	}
	count := c.Count(uint64(n), treeParamSize)
	b.param, b.numTrees = true, n
	for range count {
		if err := s.binaryTree(c, b); err != nil {
			return err
		}
		b.trees++
	}
	for range c.Count(uint64(count), 4) {
		class := int32(c.U32())
		b.infoBad = b.infoBad || class < 0
		b.class = max(b.class, class)
		b.info++
	}
	if dart && count > 0 {
		b.dropped = c.Count(c.U64(), 4)
		c.Skip(4 * int64(b.dropped))
	}
	return c.Err()
}

// binaryTree reads one tree: its nodes, and statistics of them.
func (s subject) binaryTree(c *format.Cursor, b *booster) error {
	t := &xgTree{tree: tree{off: c.Offset()}, values: -1}
	c.Skip(4)
	t.nodes = int64(int32(c.U32()))
	c.Skip(8) // deleted nodes, depth
	t.features, t.width = int64(int32(c.U32())), int64(int32(c.U32()))
	c.Move(t.off + treeParamSize)
	if t.features == 0 { // versions before 0.9 did not set it
		t.features = -1
	}
	for range c.Count(uint64(t.nodes), nodeSize+statSize) {
		parent := int32(c.U32())
		if parent != -1 { // the top bit says which child it is
			parent &= 1<<31 - 1
		}
		off := c.Offset()
		err := add(&t.parents, off, int64(parent))
		if err == nil {
			err = add(&t.left, off, int64(int32(c.U32())))
		}
		if err == nil {
			err = add(&t.right, off, int64(int32(c.U32())))
		}
		if err == nil { // the top bit is the default direction
			err = add(&t.tree.features, off, int64(c.U32()&(1<<31-1)))
		}
		c.Skip(4)
		if err == nil {
			err = s.p.Step(1)
		}
		if err != nil {
			return err
		}
	}
	c.Skip(statSize * int64(len(t.left)))
	if t.width > 1 {
		n := c.Count(c.U64(), 4)
		c.Skip(4 * int64(n))
	}
	if c.Err() != nil {
		return c.Err()
	}
	if f := t.check(); f != nil {
		s.flaw(t.off, f)
	}
	b.features = max(b.features, t.greatest())
	return nil
}

// binaryTail reads attributes and the names of metrics, of which both count and
// lengths are in the file. Versions wrote more behind them; what remains must be
// small enough to be that.
func (s subject) binaryTail(c *format.Cursor, attributes, metrics uint32) error {
	const longest = 64 << 10
	skip := func() {
		n := c.U64()
		c.Skip(c.Length(n))
	}
	if attributes != 0 {
		for range c.Count(c.U64(), 16) {
			skip()
			skip()
			if err := s.p.Step(1); err != nil {
				return err
			}
		}
	}
	if metrics != 0 {
		for range c.Count(c.U64(), 8) {
			skip()
		}
	}
	if c.Err() == nil && c.Left() > longest {
		return format.Brokenf(c.Offset(), "%d bytes behind the end of the model", c.Left())
	}
	return c.Err()
}
