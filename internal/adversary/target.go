package adversary

import "strings"

// A target is code that a pickle is to reach.
type target struct{ module, name string }

// commands do harm when they are called, or imported, or given to something
// that calls them.
var commands = []target{
	{"os", "system"}, {"posix", "system"}, {"nt", "system"}, {"os", "popen"}, {"os", "execv"}, {"os", "spawnl"}, {"os", "remove"},
	{"subprocess", "Popen"}, {"subprocess", "check_output"}, {"commands", "getoutput"}, {"_posixsubprocess", "fork_exec"},
	{"builtins", "eval"}, {"builtins", "exec"}, {"builtins", "compile"}, {"builtins", "open"}, {"builtins", "__import__"},
	{"builtins", "getattr"}, {"builtins", "setattr"}, {"builtins", "globals"}, {"builtins", "map"}, {"builtins", "apply"},
	{"__builtin__", "eval"}, {"__builtin__", "execfile"}, {"__builtin__", "file"}, {"__main__", "payload"},
	{"pty", "spawn"}, {"runpy", "_run_code"}, {"runpy", "run_path"}, {"pip", "main"}, {"ensurepip", "bootstrap"},
	{"importlib", "import_module"}, {"importlib.util", "spec_from_file_location"}, {"imp", "load_source"}, {"pkgutil", "resolve_name"},
	{"code", "InteractiveInterpreter.runcode"}, {"timeit", "timeit"}, {"cProfile", "run"}, {"profile", "Profile.run"}, {"trace", "Trace.run"},
	{"pdb", "run"}, {"bdb", "Bdb.run"}, {"doctest", "debug_script"}, {"pydoc", "pipepager"}, {"idlelib.run", "Executive.runcode"},
	{"ctypes", "CDLL"}, {"_ctypes", "dlopen"}, {"marshal", "loads"}, {"types", "FunctionType"}, {"types", "CodeType"},
	{"pickle", "loads"}, {"_pickle", "loads"}, {"dill", "loads"}, {"cloudpickle", "loads"}, {"shelve", "open"}, {"joblib", "load"},
	{"operator", "attrgetter"}, {"operator", "methodcaller"}, {"_operator", "methodcaller"}, {"functools", "reduce"}, {"itertools", "starmap"},
	{"socket", "create_connection"}, {"urllib.request", "urlopen"}, {"http.client", "HTTPSConnection"}, {"smtplib", "SMTP"}, {"requests.api", "get"},
	{"shutil", "rmtree"}, {"shutil", "copyfile"}, {"tempfile", "mktemp"}, {"webbrowser", "open"}, {"asyncio", "run"}, {"multiprocessing.util", "spawnv_passfds"},
	{"uuid", "_get_command_stdout"}, {"imaplib", "IMAP4_stream"}, {"_osx_support", "_find_build_tool"}, {"distutils.spawn", "spawn"},
	{"logging.config", "_resolve"}, {"sqlite3", "connect"}, {"signal", "raise_signal"}, {"sys", "exit"}, {"gc", "get_objects"},
	{"numpy", "load"}, {"numpy.testing._private.utils", "runstring"}, {"numpy.f2py.crackfortran", "myeval"}, {"numpy.distutils.exec_command", "_exec_command"},
	{"torch", "load"}, {"torch.hub", "load"}, {"torch.utils.collect_env", "run"}, {"torch.jit", "compile"}, {"torch._dynamo.guards", "GuardBuilder.get"},
	{"torch.serialization", "load"}, {"torch._inductor.codecache", "compile_file"}, {"pandas", "eval"}, {"pandas.io.pickle", "read_pickle"},
	{"pandas.core.computation.eval", "eval"}, {"statsmodels.iolib.smpickle", "load_pickle"}, {"sklearn.utils._testing", "assert_run_python_script_without_output"},
	{"joblib.memory", "MemorizedFunc"}, {"jinja2", "Template"}, {"yaml", "unsafe_load"}, {"dill._dill", "_create_function"}, {"dill._dill", "_create_code"},
	{"cloudpickle.cloudpickle", "_make_function"}, {"cloudpickle.cloudpickle", "_builtin_type"}, {"site", "addpackage"}, {"threading", "Thread"},
}

// strangers are nothing that anybody knows. Most look like what is harmless.
var strangers = []target{
	{"mymodel.layers", "Net"}, {"models", "Model"}, {"__mp_main__", "Net"}, {"collections", "OrderedDictX"},
	{"Collections", "OrderedDict"}, {" collections", "OrderedDict"}, {"collections", "OrderedDict "}, {"collections.", "OrderedDict"},
	{"collections", "OrderedDict\r"}, {"collections", "ordereddict"}, {"collections", "\u039frderedDict"}, {"colle\u200bctions", "OrderedDict"},
	{"collections OrderedDict", "x"}, {"collections", "OrderedDict.fromkeys"}, {"collections", "OrderedDict.__init__.__globals__"},
	{"collections", "_sys"}, {"collections", "_sys.modules"}, {"collections.abc", "sys"}, {"random", "_os.system"}, {"random", "_os"},
	{"numpy", "os"}, {"numpy.core.multiarrays", "_reconstruct"}, {"numpy.core.multiarray", "_reconstruct.__globals__"}, {"numpy.core", "multiarray"},
	{"numpy.core.multiarray", "__builtins__"}, {"numpy", "dtype.type"}, {"numpy", "ndarray.tofile"}, {"sklearn", "linear_model"},
	{"sklearn.linear_model._logistic", "LogisticRegressionX"}, {"sklearn.linear_model._logistic", "np"}, {"sklearn.evil", "LogisticRegression"},
	{"sklearn.linear_model._logistic", "LogisticRegression.fit"}, {"sklearn.linear_model", "_logistic.np.os"}, {"torch._utils", "_rebuild_tensor_v9"},
	{"torch._utils", "torch.os.system"}, {"torch", "os"}, {"torch", "_C"}, {"torch.storages", "_load_from_bytes"}, {"torch", "FloatStorages"},
	{"codecs", "lookup"}, {"_codecs", "encode2"}, {"_codecs", "register"}, {"_codecs", "encode.__self__"}, {"copyreg", "constructor"},
	{"copyreg", "dispatch_table"}, {"copyreg", "_reconstructor.__globals__"}, {"copyreg", "add_extension"}, {"builtins", "Set"}, {"builtins", "set.__init__"},
	{"builtins", "\u017fet"}, {"builtins", "help"}, {"builtins", "breakpoint"}, {"__builtin__", "reduce"}, {"joblib.numpy_pickle", "NumpyUnpickler"},
	{"transformers.evil", "TrainingArguments"}, {"pytorch_lightning.x", "AttributeDict"}, {"xgboost.core", "Boosters"}, {"lightgbm.basic", "ctypes"},
	{"a" + long, "b"}, {"a", "b" + long}, {"os.path", "join\x00"}, {"torch\x00", "FloatStorage"},
}

// long is more than any name has.
var long = func() string {
	b := make([]byte, 300)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return string(b)
}()

// bases are functions and classes that honest files name, for payloads that
// change them.
var bases = []target{
	{"numpy.core.multiarray", "_reconstruct"}, {"_codecs", "encode"}, {"collections", "OrderedDict"}, {"torch._utils", "_rebuild_tensor_v2"},
	{"numpy", "ndarray"}, {"numpy", "dtype"}, {"sklearn.linear_model._logistic", "LogisticRegression"}, {"copyreg", "_reconstructor"},
	{"collections", "defaultdict"}, {"numpy.core.multiarray", "scalar"},
}

// harmless is what honest cases name, under each name that Python has for it.
var harmless = func() map[target]bool {
	all := map[target]bool{{"copy_reg", "_reconstructor"}: true}
	for _, t := range bases {
		all[t] = true
	}
	for _, m := range []string{"builtins", "__builtin__"} {
		for _, n := range []string{"bytes", "set", "frozenset", "list", "dict", "int", "float", "object", "bytearray", "complex", "slice", "range", "xrange"} {
			all[target{m, n}] = true
		}
	}
	for _, t := range []target{
		{"datetime", "datetime"}, {"datetime", "date"}, {"datetime", "timedelta"}, {"decimal", "Decimal"}, {"fractions", "Fraction"},
		{"torch", "FloatStorage"}, {"torch", "LongStorage"}, {"torch.storage", "_load_from_bytes"}, {"sklearn.tree._tree", "Tree"},
		{"joblib.numpy_pickle", "NumpyArrayWrapper"}, {"uuid", "UUID"}, {"pathlib", "PosixPath"}, {"pathlib", "PurePosixPath"},
		{"numpy._core.multiarray", "_reconstruct"}, {"numpy._core.multiarray", "scalar"}, {"numpy.core.numeric", "_frombuffer"},
		{"numpy._core.numeric", "_frombuffer"}, {"collections", "Counter"}, {"collections", "deque"},
	} {
		all[t] = true
	}
	for _, e := range estimators {
		all[e.target] = true
		all[target{strings.Replace(e.module, "._", ".", 1), e.name}] = true // as it was called before scikit-learn 0.22
	}
	return all
}()
