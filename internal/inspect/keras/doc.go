// Package keras judges Keras models and HDF5 files.
//
// A Keras model is a configuration and weights. The configuration is JSON that
// says, by module and class, what to call with what, and a program that loads it
// calls it: whatever it names beyond the classes of Keras is code. It stands in
// config.json of a .keras file, which is a zip, in an attribute of a .h5 file,
// or in a file of its own. The weights are HDF5, which can refer to other files.
package keras

import "github.com/sallyport/sallyport/internal/inspect"

// Readings are the formats that the package knows.
var Readings = []inspect.Reading{
	{
		Format: "hdf5", Extensions: []string{".h5", ".hdf5", ".keras"},
		Match: matchHDF5, Inspect: inspectHDF5,
	},
	{
		Format: "keras-config",
		Match:  matchConfig, Inspect: inspectConfig,
	},
}

var (
	ruleLambda = &inspect.Rule{ID: "keras-lambda", Title: "A layer of the model is Python code.",
		Mend: "have the model written with layers of Keras in place of Lambda", CWE: 502, Code: true}
	ruleClass = &inspect.Rule{ID: "keras-class", Title: "The configuration names a class that is not known to be harmless.",
		Mend: "review the code of the class, or have the model written with layers of Keras only", CWE: 502, Code: true}
	ruleFunction = &inspect.Rule{ID: "keras-function", Title: "The configuration names a function that is not known to be harmless.",
		Mend: "review the code of the function, or have the model written with what Keras has", CWE: 502, Code: true}
	rulePath = &inspect.Rule{ID: "keras-path", Title: "The model reads a file when it is loaded.",
		Mend: "have the model written with the content in place of the path", CWE: 73}
	ruleLink = &inspect.Rule{ID: "hdf5-link", Title: "A member of the file is a link to somewhere else.",
		Mend: "have the file written with its data inside", CWE: 73}
	ruleStorage = &inspect.Rule{ID: "hdf5-storage", Title: "Values of a data set are read from another file.",
		Mend: "have the file written with its data inside", CWE: 73}
	ruleFilter = &inspect.Rule{ID: "hdf5-filter", Title: "Values pass through a filter that is not known.",
		Mend: "have the file written with the filters that HDF5 has", CWE: 829}
	rulePickles = &inspect.Rule{ID: "hdf5-pickles", Title: "A data set holds Python objects that are unpickled when it is read.",
		Mend: "have the file written without columns of objects, as by pandas with format='table', or without compression", CWE: 502}
	ruleTail = &inspect.Rule{ID: "hdf5-tail", Title: "Bytes follow the end of the HDF5 file.",
		Mend: "have it written again by the library that it belongs to", CWE: 351}
)

// Rules are all that the package reports by.
var Rules = []*inspect.Rule{ruleLambda, ruleClass, ruleFunction, rulePath, ruleLink, ruleStorage, ruleFilter, rulePickles, ruleTail}
