// Package pickle follows Python pickle streams without building anything: an
// abstract machine with a stack, marks and a memo over tagged values, for all
// 68 opcodes of the protocols 0 to 5. It has no opinion about what a stream may
// name or call; a Visitor has.
//
// A stream has no meaning of its own: it means what an unpickler makes of it,
// and unpicklers differ. The machine goes on wherever any of CPython's C and
// Python unpicklers, PyTorch's weights-only and joblib's does, says so as a
// Divergence where another would stop or see something else, and follows each
// reading where two go on differently. It stops only where all do.
//
// The stream is read by windows and values remember where they were written, not
// what they are; containers keep their first items only. Memory is bounded
// whatever the stream says, and grows slowly with it.
//
// Sources: Lib/pickle.py, Lib/pickletools.py and Modules/_pickle.c of CPython
// 3.11 to 3.14, PEP 307, 3154 and 574, torch/_weights_only_unpickler.py.
package pickle
