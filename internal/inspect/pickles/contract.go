package pickles

import "strings"

// A contract says how a name may be used. Everything else is blocked.
//
//	class          made by __new__ without arguments or with plain scalars, its state set once from a dict
//	class:slots    the same, and its state may set slots
//	class:state    the same, and its __setstate__ takes any state
//	class:made     the same, and its __new__ takes objects of the stream
//	class:NAME     the same, and the guard of this name judges its state
//	dict list set  a class whose instances get items as well, before their state is set (with :slots, :state)
//	tuple          a class made by __new__ with any plain arguments
//	scalar         a class made by __new__ from plain data
//	enum           called with one plain value
//	zone           a time zone, of which getattr may take one constructor
//	value          named and nothing else
//	wrapper        stands for an array in a file of joblib's
//	ndarray        a class of arrays, which numpy's functions make
//	ordereddict    a dict that is made by a call
//	storage:N      the type of a tensor's data of N bytes an element
//	PRODUCT(ARGS)  called with arguments of these shapes, to give a PRODUCT
//	NAME!          judged by the function of this name
//	A|B            both
//
// Each letter of ARGS is one argument, those behind "/" may be left out:
//
//	i integer or bool   f number          s text            B bytes, or text from which Python 2's bytes are made
//	n None              p plain data      t plain tuple     l list, whatever is in it
//	x anything but a name of the list     w that, or a value     c a class         v a value or an enum    e any name of the list
//	d dtype             a array           S storage         T tensor                o an OrderedDict without items, or None
//
// PRODUCT is one of: plain, whose state is never set; object, whose state is set
// once; items, an object that also gets items; or bytes, dtype, array, storage, tensor.
type contract struct {
	kind    string // of what the name is, or of what its call gives if it is nothing else
	mode    string // behind ":"
	product string // of a call
	args    string // of a call: its letters
	special string // the function that judges a call
}

func parseContract(text string) (c contract) {
	for part := range strings.SplitSeq(text, "|") {
		if name, ok := strings.CutSuffix(part, "!"); ok {
			c.special = name
		} else if product, args, ok := strings.Cut(part, "("); ok {
			c.product, c.args = product, strings.TrimSuffix(args, ")")
		} else {
			c.kind, c.mode, _ = strings.Cut(part, ":")
		}
	}
	return c
}

// class reports whether the contract is one of a class that __new__ makes.
func (c contract) class() bool {
	switch c.kind {
	case "class", "dict", "list", "set", "tuple", "scalar", "ordereddict", "ndarray", "wrapper":
		return true
	}
	return false
}

// items reports whether things of a kind get items, one by one or in pairs.
func items(kind string, pairs bool) bool {
	switch kind {
	case "items":
		return true
	case "dict", "ordereddict":
		return pairs
	case "list", "set":
		return !pairs
	}
	return false
}

// callOnly reports whether the name may only be called: as a value it would be a
// way to reach more, for whoever calls it later.
func (e *entry) callOnly() bool {
	switch e.use.special {
	case "getattr", "ufunc", "frombytes", "newobj", "typename", "partial", "reconstructor":
		return true
	}
	return false
}
