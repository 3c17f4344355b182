package keras

import (
	"cmp"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

// A judgement is of one configuration.
type judgement struct {
	p *inspect.Pass
	f *inspect.File
}

func (j *judgement) find(o *objects.Object, rule *inspect.Rule, v inspect.Verdict, what, why string) {
	j.p.Find(j.f, inspect.Finding{Rule: rule, Verdict: v, Offset: o.Off, What: what, Why: why})
}

// object judges one object of the configuration, wherever it stands. One
// without a class is data.
func (j *judgement) object(o *objects.Object) {
	if !o.Has("class_name") {
		return
	}
	if o.Kinds["class_name"] != json.String {
		j.find(o, ruleClass, inspect.Suspicious, "class_name", "a class is named by something that is no name")
		return
	}
	switch name := o.Text["class_name"]; name {
	case "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__keras_tensor__": // values, written as objects
	case "slice", "TensorShape", "TypeSpec", "CompositeTensor", "InputSpec":
		if o.Has("module") { // else it is a value too, but a module is imported whatever is looked up in it
			j.class(o)
		}
	case "__lambda__":
		j.find(o, ruleLambda, inspect.Malicious, name, "it holds compiled Python code that runs when the model does")
	case "Lambda":
		j.lambda(o)
	case "TFOpLambda", "SlicingOpLambda":
		j.operation(o)
	case "ClassMethod", "InstanceMethod", "InstanceProperty":
		j.method(o)
	case "function":
		j.function(o)
	case "__typespec__":
		j.typeSpec(o)
	case "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "FlaxModuleWrapper":
		j.find(o, ruleClass, inspect.Malicious, j.full(o), "it holds code of another library, which runs when the model is loaded")
	case "TFSMLayer":
		j.find(o, ruleClass, inspect.Suspicious, j.full(o), "it loads and runs another model, at a path")
	default:
		j.class(o)
	}
	j.paths(o)
}

// full is the name of an object's class with its module.
func (j *judgement) full(o *objects.Object) string {
	if m := o.Text["module"]; m != "" {
		return m + "." + o.Text["class_name"]
	}
	return o.Text["class_name"]
}

// lambda judges a Lambda layer: it is code, or names some.
func (j *judgement) lambda(o *objects.Object) {
	if c := o.Kept["config"]; c != nil {
		name := c.Text["function"]
		if c.Kept["function"] != nil && c.Kept["function"].Text["class_name"] == "function" {
			name = cmp.Or(c.Kept["function"].Text["config"], "function")
		}
		if name == "" && c.Kept["function"] != nil {
			j.find(o, ruleLambda, inspect.Malicious, "Lambda", "it holds Python code that runs when the model does; a .h5 file's runs in safe mode too")
			return
		}
		if name != "" {
			j.find(o, ruleLambda, grave(name), "Lambda "+name, "it names a function that runs when the model does")
			return
		}
	}
	j.find(o, ruleLambda, inspect.Suspicious, "Lambda", "it runs a function when the model does")
}

// grave is the verdict on a name that is not known to be harmless.
func grave(name string) inspect.Verdict {
	if refused(name) {
		return inspect.Malicious
	}
	return inspect.Suspicious
}

// operation judges a layer that calls a function of TensorFlow by its name.
func (j *judgement) operation(o *objects.Object) {
	name := ""
	if o.Kept["config"] != nil {
		name = strings.TrimPrefix(o.Kept["config"].Text["function"], "tf.")
	}
	if known().tfops[name] {
		j.p.Global("tensorflow " + name)
		return
	}
	j.find(o, ruleFunction, grave("tensorflow."+name), cmp.Or("tensorflow."+name, "TFOpLambda"), "the layer calls it when the model is loaded")
}

// method judges a layer that calls a method of a tensor or reads a property.
func (j *judgement) method(o *objects.Object) {
	name := ""
	if c := o.Kept["config"]; c != nil {
		name = cmp.Or(c.Text["method_name"], c.Text["attr_name"])
	}
	if tensorMethods(name) && (o.Text["class_name"] != "ClassMethod" || o.Kept["config"].Text["cls_ref"] == "RaggedTensor" || o.Kept["config"].Text["cls_ref"] == "SparseTensor") {
		j.p.Allow()
		return
	}
	j.find(o, ruleFunction, inspect.Suspicious, o.Text["class_name"]+" "+name, "the layer calls it when the model is loaded")
}

// tensorMethods are methods and properties that honest models use.
func tensorMethods(name string) bool {
	switch name {
	case "to_tensor", "to_sparse", "from_tensor", "from_sparse", "from_row_splits", "from_row_lengths", "row_lengths",
		"row_splits", "with_values", "with_flat_values", "values", "flat_values", "shape", "dtype", "indices",
		"dense_shape", "bounding_shape", "value_rowids", "nrows", "nested_row_splits", "merge_dims", "T", "ndim":
		return true
	}
	return false
}

// function judges a function that is named by module and name.
func (j *judgement) function(o *objects.Object) {
	module, name := o.Text["module"], o.Text["config"]
	registered := o.Text["registered_name"]
	if known().function(module, name) && (registered == "" || registered == "function" || registered == name) {
		j.p.Global(cmp.Or(module, "keras") + " " + name)
		return
	}
	full := name
	if module != "" {
		full = module + "." + name
	}
	v := inspect.Suspicious
	if refused(name) || module != "builtins" && refused(full) {
		v = inspect.Malicious
	}
	j.find(o, ruleFunction, v, cmp.Or(full, "function"), "the function is looked up when the model is loaded, and called")
}

// typeSpec judges the description of a tensor.
func (j *judgement) typeSpec(o *objects.Object) {
	switch module, name := o.Text["module"], o.Text["spec_name"]; {
	case strings.HasPrefix(module, "tensorflow.python.framework.") || strings.HasPrefix(module, "tensorflow.python.ops."):
		switch name {
		case "TensorSpec", "BoundedTensorSpec", "SparseTensorSpec", "IndexedSlicesSpec", "RaggedTensorSpec", "TensorArraySpec", "VariableSpec":
			j.p.Global(module + " " + name)
			return
		}
		fallthrough
	default:
		j.find(o, ruleClass, grave(module+"."+name), module+"."+name, "it is imported when the model is loaded, and called")
	}
}

// class judges a class: it must be one of Keras, under the module that Keras
// writes, and registered under no name but its own.
func (j *judgement) class(o *objects.Object) {
	module, name := o.Text["module"], o.Text["class_name"]
	if o.Has("module") && module == "" {
		module = "?" // something that is no name
	}
	registered := o.Text["registered_name"]
	l := known()
	if pkg, plain, ok := strings.Cut(name, ">"); ok && pkg != "" && !o.Has("module") && l.registers(plain, name) {
		name, registered = plain, name // as files of Keras 2 name what is registered
	}
	if l.class(module, name) && (registered == "" || registered == name || l.registers(name, registered)) {
		j.p.Global(cmp.Or(module, "keras") + " " + name)
		return
	}
	full := j.full(o)
	switch {
	case refused(full):
		j.find(o, ruleClass, inspect.Malicious, full, "it is looked up when the model is loaded, and called with what the file says")
	case l.class(module, name):
		j.find(o, ruleClass, inspect.Suspicious, registered, "a class of Keras is named, but one registered under this name is taken in its place")
	default:
		j.find(o, ruleClass, inspect.Suspicious, full, "it is not a class of Keras: its code runs when the model is loaded")
	}
}

// paths looks for files that a layer reads when it is made of its configuration.
func (j *judgement) paths(o *objects.Object) {
	if o.Kept["config"] == nil {
		return
	}
	for _, key := range [...]string{"vocabulary", "proto", "merges", "idf_weights", "filepath"} {
		path := o.Kept["config"].Text[key]
		if path == "" {
			continue
		}
		v := inspect.Suspicious
		if outside(path) {
			v = inspect.Malicious
		}
		j.find(o, rulePath, v, path, "the layer takes its "+key+" from a file at this path or address")
	}
}

// outside reports whether a path or address leads out of the folder that it
// stands in.
func outside(path string) bool {
	return strings.HasPrefix(path, "/") || strings.HasPrefix(path, "~") || strings.HasPrefix(path, `\`) ||
		strings.Contains(path, "..") || strings.Contains(path, ":") || strings.Contains(path, "${")
}
