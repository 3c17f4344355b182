package adversary

import (
	"encoding/binary"
	"math"
	"strings"
)

// An estimator is a class of scikit-learn's and names of its attributes.
type estimator struct {
	target
	attributes []string
}

var estimators = []estimator{
	{target{"sklearn.linear_model._logistic", "LogisticRegression"}, []string{"penalty", "C", "coef_", "intercept_", "classes_"}},
	{target{"sklearn.linear_model._base", "LinearRegression"}, []string{"fit_intercept", "coef_", "rank_"}},
	{target{"sklearn.preprocessing._data", "StandardScaler"}, []string{"with_mean", "mean_", "scale_", "n_samples_seen_"}},
	{target{"sklearn.pipeline", "Pipeline"}, []string{"steps", "memory", "verbose"}},
	{target{"sklearn.svm._classes", "SVC"}, []string{"kernel", "gamma", "support_vectors_"}},
	{target{"sklearn.ensemble._forest", "RandomForestClassifier"}, []string{"n_estimators", "max_depth", "classes_"}},
	{target{"sklearn.decomposition._pca", "PCA"}, []string{"n_components", "components_"}},
}

// object pushes something harmless, of at most depth levels.
func (w *writer) object(depth int) {
	if depth <= 0 || w.IntN(3) == 0 {
		w.scalar()
		return
	}
	switch w.IntN(9) {
	case 0:
		items := make([]func(), w.IntN(5))
		for i := range items {
			items[i] = func() { w.object(depth - 1) }
		}
		w.tuple(items...)
	case 1, 2:
		w.list(w.IntN(5), func(int) { w.object(depth - 1) })
	case 3, 4:
		w.dict(keys(w), func(string) { w.object(depth - 1) })
	case 5:
		w.ordered(depth)
	case 6:
		w.array()
	case 7:
		w.model(depth)
	case 8:
		w.value()
	}
}

// keys are up to four different words.
func keys(w *writer) []string {
	all := []string{"weight", "bias", "epoch", "name", "os", "system", "c", "cos\\nsystem", "module", "params"}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:w.IntN(5)]
}

// scalar pushes a number, a string or a constant.
func (w *writer) scalar() {
	switch w.IntN(8) {
	case 0:
		w.op('N')
	case 1:
		w.truth(w.IntN(2) == 0)
	case 2:
		w.number(int32(w.Uint32()))
	case 3:
		w.number(w.Int32N(70000))
	case 4:
		w.real(w.Float64())
	case 5:
		w.data(strings.Repeat("\x80\x04c", w.IntN(5)))
	case 6:
		w.big()
	default:
		w.str(strings.Repeat(pick(w, []string{"layer.0.weight", "os system", "", "cosystem", "builtins", "i"}), w.IntN(3)))
	}
}

// big pushes an integer of more than 64 bits.
func (w *writer) big() {
	if w.proto < 2 {
		w.line('L', "123456789012345678901234567890L")
		return
	}
	w.counted(0x8a, 1, strings.Repeat("\x7f", 1+w.IntN(200)))
}

// data pushes bytes. Old protocols have none: Python writes how to make them.
func (w *writer) data(b string) {
	switch {
	case w.proto >= 3:
		w.counted('C', 1, b)
		w.remember()
	case b == "":
		w.global(target{"__builtin__", "bytes"})
		w.tuple()
		w.op('R')
		w.remember()
	default:
		w.global(target{"_codecs", "encode"})
		w.tuple(func() { w.latin(b) }, func() { w.str("latin1") })
		w.op('R')
		w.remember()
	}
}

// latin pushes bytes as a string of the letters that have their numbers.
func (w *writer) latin(b string) {
	letters := make([]rune, len(b))
	for i := range len(b) {
		letters[i] = rune(b[i])
	}
	if w.proto == 0 {
		w.line('V', b) // raw-unicode-escape is Latin-1 for these
	} else {
		w.counted('X', 4, string(letters))
	}
	w.remember()
}

// list pushes a list of n items.
func (w *writer) list(n int, push func(i int)) {
	if w.proto == 0 {
		w.op('(')
		w.op('l')
	} else {
		w.op(']')
	}
	w.remember()
	many := w.proto > 0 && n > 1
	if many {
		w.op('(')
	}
	for i := range n {
		push(i)
		if !many {
			w.op('a')
		}
	}
	if many {
		w.op('e')
	}
}

// dict pushes a dictionary.
func (w *writer) dict(keys []string, push func(key string)) {
	if w.proto == 0 {
		w.op('(')
		w.op('d')
	} else {
		w.op('}')
	}
	w.remember()
	w.items(keys, push)
}

// items sets items of what is on top.
func (w *writer) items(keys []string, push func(key string)) {
	many := w.proto > 0 && len(keys) > 1
	if many {
		w.op('(')
	}
	for _, k := range keys {
		w.str(k)
		push(k)
		if !many {
			w.op('s')
		}
	}
	if many {
		w.op('u')
	}
}

// ordered pushes a dictionary of one of the other kinds.
func (w *writer) ordered(depth int) {
	if w.IntN(2) == 0 {
		w.global(target{"collections", "OrderedDict"})
		w.tuple()
	} else {
		w.global(target{"collections", "defaultdict"})
		w.tuple(func() { w.global(target{w.builtins(), pick(w, []string{"int", "list", "dict", "float"})}) })
	}
	w.op('R')
	w.remember()
	w.items(keys(w), func(string) { w.object(depth - 1) })
}

// builtins is what the module is called at the protocol.
func (w *writer) builtins() string {
	if w.proto < 3 {
		return "__builtin__"
	}
	return "builtins"
}

// float64 pushes the numpy type of most arrays.
func (w *writer) float64() { w.dtype("f8") }

// dtype pushes a numpy type of little-endian numbers, or of objects.
func (w *writer) dtype(name string) {
	w.global(target{"numpy", "dtype"})
	w.tuple(func() { w.str(name) }, func() { w.truth(false) }, func() { w.truth(true) })
	w.op('R')
	w.remember()
	w.tuple(func() { w.number(3) }, func() { w.str("<") }, func() { w.op('N') }, func() { w.op('N') }, func() { w.op('N') },
		func() { w.number(-1) }, func() { w.number(-1) }, func() { w.number(0) })
	w.op('b')
}

// array pushes an array of numpy's.
func (w *writer) array() {
	n := w.Int32N(6)
	var content []byte
	for range n {
		content = binary.LittleEndian.AppendUint64(content, math.Float64bits(w.NormFloat64()))
	}
	w.global(target{"numpy.core.multiarray", "_reconstruct"})
	w.tuple(func() { w.global(target{"numpy", "ndarray"}) }, func() { w.tuple(func() { w.number(0) }) }, func() { w.data("b") })
	w.op('R')
	w.remember()
	w.tuple(func() { w.number(1) }, func() { w.tuple(func() { w.number(n) }) }, w.float64, func() { w.truth(false) },
		func() { w.data(safe(string(content))) })
	w.op('b')
}

// safe takes the bytes out that a line of UNICODE cannot hold as they are.
func safe(s string) string {
	return strings.NewReplacer("\n", "A", "\\", "B", "\r", "C", "\x00", "D", "\x1a", "E").Replace(s)
}

// model pushes an estimator of scikit-learn's.
func (w *writer) model(depth int) {
	e := pick(w, estimators)
	if w.proto < 2 {
		w.global(target{"copy_reg", "_reconstructor"})
		w.tuple(func() { w.global(e.target) }, func() { w.global(target{"__builtin__", "object"}) }, func() { w.op('N') })
		w.op('R')
	} else {
		w.global(e.target)
		w.op(')')
		w.op(0x81)
	}
	w.remember()
	w.dict(e.attributes, func(string) { w.object(depth - 1) })
	w.op('b')
}

// value pushes something that Python makes by a call.
func (w *writer) value() {
	switch w.IntN(4) {
	case 0:
		w.global(target{"numpy.core.multiarray", "scalar"})
		w.tuple(w.float64, func() { w.data("12345678") })
	case 1:
		w.global(target{w.builtins(), "complex"})
		w.tuple(func() { w.real(1.5) }, func() { w.real(-2.5) })
	case 2:
		w.global(target{"decimal", "Decimal"})
		w.tuple(func() { w.str("1.25") })
	case 3:
		w.global(target{w.builtins(), "set"})
		w.tuple(func() { w.list(2, func(i int) { w.number(int32(i)) }) })
	}
	w.op('R')
	w.remember()
}
