package trees

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// matchLightGBM looks for the first two lines of the model's text
// (gbdt_model_text.cpp).
func matchLightGBM(_ *inspect.File, head []byte) inspect.Fit {
	first, rest, _ := bytes.Cut(head, []byte("\n"))
	rest = bytes.TrimLeft(rest, "\r\n")
	if strings.TrimRight(string(first), "\r") == "tree" && (bytes.HasPrefix(rest, []byte("version=")) || bytes.HasPrefix(rest, []byte("num_class="))) {
		return inspect.Yes
	}
	return inspect.No
}

// A forest is a LightGBM model being read.
type forest struct {
	subject
	l        *lines
	features int64 // the greatest index
	classes  int64
	perRound int64
	names    int
	sizes    []int64
	trees    int
	begin    int64 // of the tree being read
}

// maxTrees bounds how many sizes of trees are kept.
const maxTrees = 512 << 10

func inspectLightGBM(p *inspect.Pass, f *inspect.File) error {
	m := &forest{subject: subject{p, f}, l: newLines(f.Reader()), features: -1, classes: -1, perRound: 1, names: -1}
	if err := m.header(); err != nil {
		return err
	}
	if err := m.allTrees(); err != nil {
		return err
	}
	m.agree()
	return m.tail()
}

// header reads up to the line before the first tree.
func (m *forest) header() error {
	for {
		off := m.l.off
		key, valued, err := m.l.key()
		if err != nil {
			return ended(err, off)
		}
		if !valued {
			if key == "end of trees" {
				return format.Brokenf(off, "the trees end before they begin")
			}
			continue
		}
		switch key {
		case "Tree":
			m.begin = off
			return m.l.rest()
		case "max_feature_idx", "num_class", "num_tree_per_iteration":
			value, last, err := m.l.field()
			if err == nil && !last {
				err = m.l.rest()
			}
			if err != nil {
				return err
			}
			*map[string]*int64{"max_feature_idx": &m.features, "num_class": &m.classes, "num_tree_per_iteration": &m.perRound}[key] = whole(value)
		case "objective":
			value, last, err := m.l.field()
			if err != nil {
				return err
			}
			m.name(off, "lightgbm-objective", value)
			if !last {
				err = m.l.rest()
			}
			if err != nil {
				return err
			}
		case "feature_names":
			m.names, err = m.l.each(nil)
		case "tree_sizes":
			_, err = m.l.each(func(value string) error {
				if len(m.sizes) >= maxTrees {
					return format.Exceededf(off, "a model of more than %d trees", maxTrees)
				}
				m.sizes = append(m.sizes, whole(value))
				return nil
			})
			if err == nil && len(m.sizes) == 0 {
				return m.none()
			}
		default:
			err = m.l.rest()
		}
		if err != nil {
			return err
		}
	}
}

// none ends a header that no tree follows.
func (m *forest) none() error {
	for {
		off := m.l.off
		key, valued, err := m.l.key()
		if err != nil {
			return ended(err, off)
		}
		if key == "end of trees" {
			m.begin = -1
			return nil
		}
		if valued && key == "Tree" {
			m.begin = off
			return m.l.rest()
		}
		if valued {
			if err := m.l.rest(); err != nil {
				return err
			}
		}
	}
}

// ended makes the end of the file a fault.
func ended(err error, off int64) error {
	if err == io.EOF {
		return format.Brokenf(off, "the file ends within the model")
	}
	return err
}

// allTrees reads tree after tree, of which the first line was read.
func (m *forest) allTrees() error {
	for m.begin >= 0 {
		t := &lgTree{off: m.begin, lengths: map[string]int{}}
		next, err := t.read(m)
		if err != nil {
			return err
		}
		if m.trees < len(m.sizes) && m.sizes[m.trees] != next-m.begin {
			m.find(ruleShape, m.begin, "tree_sizes", "tree "+strconv.Itoa(m.trees)+" has another size than the model says, and readers skip by it")
		}
		m.trees++
		t.judge(m)
		if t.last {
			return nil
		}
		m.begin = next
	}
	return nil
}

// agree compares what the header says with the trees.
func (m *forest) agree() {
	const limit = 1 << 31
	switch {
	case m.features < 0 || m.features >= limit:
		m.find(ruleShape, 0, "max_feature_idx", "it is no number of a feature")
	case m.classes < 1 || m.classes >= limit || m.perRound < 1 || m.perRound >= limit:
		m.find(ruleShape, 0, "num_class", "it is no number of classes")
	case m.names >= 0 && int64(m.names) != m.features+1:
		m.find(ruleShape, 0, "feature_names", "there are more or fewer than features")
	case len(m.sizes) > 0 && len(m.sizes) != m.trees:
		m.find(ruleShape, 0, "tree_sizes", "there are more or fewer than trees")
	case int64(m.trees)%max(m.perRound, 1) != 0:
		m.find(ruleShape, 0, "num_tree_per_iteration", "the trees do not make whole rounds")
	}
}

// tail reads what follows the trees: importances, parameters and, from Python, a
// line of JSON. The library does not act on any of it.
func (m *forest) tail() error {
	for {
		off := m.l.off
		_, valued, err := m.l.key()
		if err == io.EOF {
			return nil
		}
		if format.Is(err, format.Exceeded) { // categories of pandas in one long line
			err = nil
			valued = true
		}
		if err == nil && valued {
			err = m.l.rest()
		}
		if err == nil {
			err = m.p.Step(int(m.l.off-off) / 64)
		}
		if err != nil {
			return err
		}
	}
}
