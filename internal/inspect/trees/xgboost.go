package trees

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

func matchXGBoostJSON(_ *inspect.File, head []byte) inspect.Fit {
	if b := bytes.TrimLeft(head, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return inspect.No
	}
	return beginsLikeXGBoost(jsonStream(subject{}, bytes.NewReader(head)))
}

func matchXGBoostUBJSON(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 2 || head[0] != '{' || bytes.IndexByte([]byte("iUIlL$#"), head[1]) < 0 {
		return inspect.No
	}
	return beginsLikeXGBoost(ubjsonStream(subject{}, bytes.NewReader(head), int64(len(head))))
}

// errFound ends a look at the beginning of a document.
var errFound = errors.New("found")

// beginsLikeXGBoost looks for "learner" with a key of a learner in it, behind
// "version" at most, at the top or within "Config" or "Model".
func beginsLikeXGBoost(s *stream) inspect.Fit {
	learner := func(key string, v event) error {
		if key == "version" {
			return s.drop(v)
		}
		if key != "learner" || v.kind != json.Object {
			return nil
		}
		k, err := s.next()
		if err == nil && learnerKeys[k.text] {
			return errFound
		}
		return err
	}
	v, err := s.next()
	if err != nil {
		return inspect.No
	}
	err = s.object(v, func(key string, v event) error {
		if key == "Config" || key == "Model" {
			return s.object(v, learner)
		}
		if err := learner(key, v); err != nil || key == "version" {
			return err
		}
		return inspect.ErrNotThis
	})
	if err == errFound {
		return inspect.Yes
	}
	return inspect.No
}

var learnerKeys = map[string]bool{
	"attributes": true, "feature_names": true, "feature_types": true, "gradient_booster": true, "learner_model_param": true,
	"objective": true, "generic_param": true, "learner_train_param": true, "metrics": true,
}

func inspectXGBoostJSON(p *inspect.Pass, f *inspect.File) error {
	s := subject{p, f}
	return inspectXGBoost(jsonStream(s, f.Reader()))
}

func inspectXGBoostUBJSON(p *inspect.Pass, f *inspect.File) error {
	return inspectXGBoost(ubjsonStream(subject{p, f}, f, f.Size))
}

// inspectXGBoost reads a model (doc/model.schema), or what the library writes
// into a pickle: a model and the configuration beside it.
func inspectXGBoost(s *stream) error {
	v, err := s.next()
	if err != nil {
		return err
	}
	err = s.object(v, func(key string, v event) error {
		switch key {
		case "learner":
			return s.learner(v)
		case "Model":
			return s.object(v, func(key string, v event) error {
				if key == "learner" {
					return s.learner(v)
				}
				return s.drop(v)
			})
		}
		return s.drop(v)
	})
	if err != nil {
		return err
	}
	return s.end()
}

// A booster is what the parts of a model must agree about.
type booster struct {
	off       int64
	linear    bool
	param     bool // the number of trees is known
	numTrees  int64
	trees     int
	info      int // entries of tree_info
	dropped   int // entries of weight_drop; -1: none
	rounds    []int32
	weights   int
	features  int32 // the greatest that a tree uses
	class     int32 // the greatest that tree_info has
	infoBad   bool
	leafWidth int64 // the greatest size_leaf_vector
}

// learner reads a model's learner.
func (s *stream) learner(v event) error {
	b := booster{off: v.off, dropped: -1, features: -1, class: -1}
	features, classes, targets := int64(0), int64(0), int64(1)
	err := s.object(v, func(key string, v event) error {
		switch key {
		case "gradient_booster":
			return s.gradientBooster(v, &b)
		case "objective":
			return s.object(v, func(key string, v event) error {
				if key == "name" {
					s.name(v.off, "xgboost-objective", v.text)
				}
				return s.drop(v)
			})
		case "learner_model_param":
			return s.object(v, func(key string, v event) (err error) {
				switch key {
				case "num_feature":
					features, err = s.param(v)
				case "num_class":
					classes, err = s.param(v)
				case "num_target":
					targets, err = s.param(v)
				default:
					err = s.drop(v)
				}
				return err
			})
		}
		return s.drop(v)
	})
	if err != nil {
		return err
	}
	s.agree(&b, features, max(classes, 1)*max(targets, 1), classes, targets)
	return nil
}

// agree compares the booster's parts with each other and with the parameters.
func (s *stream) agree(b *booster, features, groups, classes, targets int64) {
	const limit = 1 << 31
	if features < 0 || features >= limit || classes < 0 || classes >= limit || targets < 0 || targets >= limit {
		s.find(ruleShape, b.off, "learner_model_param", "a count in it is no number of things")
		return
	}
	switch {
	case b.linear && b.weights > 0 && int64(b.weights) != (features+1)*groups:
		s.find(ruleShape, b.off, "weights", "there are "+strconv.Itoa(b.weights)+" of them, which the features and classes do not make")
	case int64(b.features) >= features && b.features >= 0:
		s.find(ruleIndex, b.off, "split_indices", "a tree looks at a feature that the model does not have")
	case b.infoBad || int64(b.class) >= groups:
		s.find(ruleIndex, b.off, "tree_info", "a tree adds to a class that the model does not have")
	case b.param && b.numTrees != int64(b.trees), b.trees != b.info:
		s.find(ruleShape, b.off, "trees", "there are more or fewer of them than the model says")
	case b.dropped >= 0 && b.dropped != b.trees:
		s.find(ruleShape, b.off, "weight_drop", "it has more or fewer entries than there are trees")
	case b.leafWidth > 1 && b.leafWidth != groups:
		s.find(ruleShape, b.off, "size_leaf_vector", "leaves have another number of values than the model has targets")
	}
	for i, r := range b.rounds {
		if r < 0 || int(r) > b.trees || i > 0 && r < b.rounds[i-1] {
			s.find(ruleIndex, b.off, "iteration_indptr", "it leads outside of the trees")
			return
		}
	}
}

// gradientBooster reads a booster; dart has another one inside.
func (s *stream) gradientBooster(v event, b *booster) error {
	return s.object(v, func(key string, v event) error {
		switch key {
		case "name":
			s.name(v.off, "xgboost-booster", v.text)
		case "gbtree":
			return s.gradientBooster(v, b)
		case "model":
			return s.model(v, b)
		case "weight_drop":
			n, err := s.array(v, s.drop)
			b.dropped = n
			return err
		}
		return s.drop(v)
	})
}

// model reads the model of a booster of any kind.
func (s *stream) model(v event, b *booster) error {
	return s.object(v, func(key string, v event) (err error) {
		switch key {
		case "gbtree_model_param":
			return s.object(v, func(key string, v event) (err error) {
				if key == "num_trees" {
					b.param = true
					b.numTrees, err = s.param(v)
					return err
				}
				return s.drop(v)
			})
		case "iteration_indptr":
			return s.ints(v, &b.rounds)
		case "tree_info":
			b.info, err = s.array(v, func(v event) error {
				n, ok := v.int()
				b.infoBad = b.infoBad || !ok || n < 0
				b.class = max(b.class, clamp(n))
				return s.drop(v)
			})
			return err
		case "trees":
			b.trees, err = s.array(v, func(v event) error { return s.tree(v, b) })
			return err
		case "weights":
			b.linear = true
			b.weights, err = s.array(v, s.drop)
			return err
		}
		return s.drop(v)
	})
}
