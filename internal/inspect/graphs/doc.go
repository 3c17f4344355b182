// Package graphs judges models that are graphs of operators: ONNX, TensorFlow's
// SavedModel and GraphDef, Core ML and TensorFlow Lite.
//
// A graph does what its operators do, and nothing else: it passes if each of
// them is on a list of operators that only compute, if the files that it names
// lie beside it, and if its shapes, offsets and indices fit. What a graph
// computes is not judged: a branch that answers falsely for some inputs is a
// matter for tests of the model, and no reading of its graph finds it surely.
package graphs
