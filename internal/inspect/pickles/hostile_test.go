package pickles

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// str is SHORT_BINUNICODE or BINUNICODE, name STACK_GLOBAL of two of them.
func str(s string) string {
	if len(s) < 256 {
		return "\x8c" + string(rune(len(s)))[:1] + s
	}
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func name(module, n string) string { return str(module) + str(n) + "\x93" }

func global(module, n string) string { return "c" + module + "\n" + n + "\n" }

// p4 wraps a body as a stream of protocol 4.
func p4(body string) string { return "\x80\x04" + body + "." }

// gadgets are callables that run, load, fetch or change something, or that lead
// to one that does: "module name" a line.
const gadgets = `
os system
os popen
os execv
os spawnl
os posix_spawn
os remove
os putenv
posix system
posix execve
nt system
subprocess Popen
subprocess run
subprocess check_output
subprocess getoutput
_posixsubprocess fork_exec
commands getoutput
pty spawn
builtins eval
builtins exec
builtins compile
builtins __import__
builtins open
builtins getattr
builtins setattr
builtins map
builtins filter
builtins globals
builtins vars
builtins breakpoint
builtins input
builtins help
builtins print
builtins apply
builtins memoryview
builtins super
builtins type
builtins classmethod
builtins property
__builtin__ eval
__builtin__ execfile
__builtin__ getattr
__builtin__ file
importlib import_module
importlib.machinery SourceFileLoader
importlib.util spec_from_file_location
importlib._bootstrap _load
imp load_source
pkgutil resolve_name
pkgutil get_data
zipimport zipimporter
runpy run_path
runpy run_module
runpy _run_code
code InteractiveInterpreter
code interact
codeop compile_command
codeop CommandCompiler
timeit timeit
timeit main
cProfile run
cProfile runctx
profile run
profile Profile.runctx
trace Trace
pdb run
pdb runeval
bdb Bdb
bdb Bdb.run
doctest debug_script
doctest testsource
pydoc locate
pydoc pipepager
pydoc tempfilepager
lib2to3.pgen2.grammar Grammar.loads
lib2to3.pgen2.pgen ParserGenerator.make_label
idlelib.run Executive.runcode
idlelib.pyshell ModifiedInterpreter.runcode
idlelib.debugobj ObjectTreeItem.SetText
idlelib.autocomplete AutoComplete.get_entity
idlelib.calltip get_entity
types FunctionType
types CodeType
types ModuleType
types MethodType
marshal loads
marshal load
pickle loads
pickle Unpickler
_pickle loads
cPickle loads
shelve open
shelve DbfilenameShelf
dbm open
dbm.dumb open
sqlite3 connect
logging.config fileConfig
logging.config dictConfig
logging FileHandler
smtplib SMTP
urllib.request urlopen
urllib.request urlretrieve
urllib2 urlopen
socket socket
socket create_connection
http.client HTTPSConnection
ftplib FTP
telnetlib Telnet
nntplib NNTP
poplib POP3
xmlrpc.client ServerProxy
requests get
aiohttp ClientSession
imaplib IMAP4_stream
ssl get_server_certificate
socketserver TCPServer
http.server test
tempfile mktemp
tempfile NamedTemporaryFile
shutil rmtree
shutil copy
shutil move
shutil unpack_archive
io open
io FileIO
_io FileIO
_pyio open
codecs open
codecs lookup
fileinput input
linecache getlines
glob glob
zipfile ZipFile
tarfile open
gzip open
mmap mmap
ctypes CDLL
ctypes CFUNCTYPE
ctypes string_at
ctypes memmove
_ctypes dlopen
cffi FFI
multiprocessing Process
multiprocessing.util spawnv_passfds
multiprocessing.managers BaseManager
multiprocessing.connection Client
multiprocessing.reduction ForkingPickler.loads
concurrent.futures ProcessPoolExecutor
threading Thread
_thread start_new_thread
signal signal
atexit register
weakref finalize
sched scheduler
asyncio create_subprocess_shell
asyncio.unix_events _UnixSubprocessTransport._start
asyncio run
distutils.core run_setup
distutils.file_util write_file
distutils.spawn spawn
setuptools.sandbox run_setup
ensurepip bootstrap
ensurepip _run_pip
pip main
pip._internal main
venv create
webbrowser open
webbrowser GenericBrowser
antigravity __name__
uuid _get_command_stdout
_osx_support _read_output
_osx_support _find_build_tool
_aix_support _read_cmd_output
_pyrepl.pager pipe_pager
platform popen
sysconfig get_config_h_filename
operator attrgetter
operator methodcaller
operator itemgetter
operator call
_operator methodcaller
functools reduce
functools partialmethod
functools cached_property
_functools reduce
itertools starmap
itertools accumulate
itertools filterfalse
contextlib ExitStack
inspect getattr_static
ast literal_eval
dis dis
sys setrecursionlimit
sys _getframe
sys modules
gc get_objects
site addsitedir
rlcompleter Completer
unittest.mock patch
test.support.script_helper assert_python_ok
_testcapi run_in_subinterp
_xxsubinterpreters run_string
_interpreters run_string
faulthandler _sigsegv
readline read_init_file
tkinter Tcl
copyreg add_extension
copyreg __newobj_ex__
collections namedtuple
dataclasses make_dataclass
enum EnumMeta
typing get_type_hints
string Formatter
xml.sax parse
xml.etree.ElementTree parse
numpy load
numpy fromfile
numpy vectorize
numpy frompyfunc
numpy apply_along_axis
numpy fromfunction
numpy.testing._private.utils runstring
numpy.testing runstring
numpy.f2py.crackfortran getlincoef
numpy.f2py.crackfortran param_eval
numpy.f2py.diagnose run_command
numpy.distutils.exec_command exec_command
numpy.ctypeslib load_library
numpy.core._internal __builtins__
numpy memmap
numpy genfromtxt
torch load
torch.hub load
torch.hub load_state_dict_from_url
torch.serialization load
torch.jit load
torch.jit.unsupported_tensor_ops execWrapper
torch.utils.collect_env run
torch.utils._config_module ConfigModule.load_config
torch.utils._config_module load_config
torch.utils.bottleneck.__main__ run_cprofile
torch.utils.bottleneck.__main__ run_autograd_prof
torch.utils.data.datapipes.utils.decoder basichandlers
torch.utils.cpp_extension load_inline
torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
torch.fx.graph_module reduce_graph_module
torch.fx.graph_module _forward_from_src
torch._dynamo.guards GuardBuilder.get
torch._inductor.codecache compile_file
torch.distributed.rpc rpc_sync
torch.distributed.elastic.multiprocessing start_processes
torch.package PackageImporter
torch.ops load_library
torch.classes load_library
torch.multiprocessing spawn
torch.utils.data DataLoader
torch._C _import_ir_module_from_package
torch.storage _load_from_bytes
pandas eval
pandas read_pickle
pandas.io.pickle read_pickle
pandas.io.common get_handle
pandas.core.computation.eval eval
pandas.core.computation.scope Scope
pandas.core.frame DataFrame.query
pandas.util._test_decorators skip
pandas read_csv
joblib load
joblib.numpy_pickle load
joblib.memory Memory
joblib.externals.loky.backend.utils kill_process_tree
joblib._parallel_backends LokyBackend
sklearn.externals.joblib load
sklearn.datasets load_files
sklearn.datasets._base get_data_home
sklearn.utils._testing run_in_subprocess
scipy.io loadmat
scipy.stats._distn_infrastructure rv_continuous
scipy.stats._continuous_distns norm_gen
scipy.linalg.interpolative os.system
statsmodels.iolib.smpickle load_pickle
nltk.internals java
transformers.dynamic_module_utils get_class_from_dynamic_module
transformers.utils.import_utils _LazyModule
transformers.pipelines pipeline
transformers.trainer Trainer
accelerate.commands.launch launch_command
ultralytics.utils.downloads download
ultralytics.nn.tasks SafeUnpickler
lightning_utilities.core.imports lazy_import
dill loads
dill._dill _create_code
dill._dill _create_function
dill._dill _import_module
dill._dill _eval_repr
dill._dill _get_attr
cloudpickle.cloudpickle _make_function
cloudpickle.cloudpickle subimport
cloudpickle.cloudpickle _builtin_type
cloudpickle loads
yaml load
yaml unsafe_load
jsonpickle decode
IPython embed
sympy sympify
six get_function_code
keras.models load_model
tensorflow.keras.models load_model
tensorflow.python.lib.io.file_io write_string_to_file
numba.core.serialize _unpickle__CustomPickled
random _os.system
harmless_looking helper
mymodel.net Net
__main__ run
__main__ Payload
utils loader
`

// structures are streams that hide what they do behind names that are allowed,
// or behind what readers do differently.
func structures() map[string]string {
	od := name("collections", "OrderedDict")
	call := func(g, args string) string { return p4(g + args + "R") }
	lin := name("torch.nn.modules.linear", "Linear")
	pi := "K\x01"
	sys := name("os", "system")
	cmd := str("id")
	dtype := name("numpy", "dtype") + str("O8") + "\x89\x88\x87R"
	wrapper := func(attrs string) string {
		return name("joblib.numpy_pickle", "NumpyArrayWrapper") + ")\x81}(" + attrs + "ub"
	}
	evil := global("os", "system") + "(S'id'\ntR."
	table := map[string]string{
		"reduce":                       call(sys, cmd+"\x85"),
		"reduce and pop":               p4(sys + cmd + "\x85R0N"),
		"named only":                   p4(sys),
		"named and popped":             p4(sys + "0N"),
		"named in the memo":            p4(sys + "\x940N"),
		"global":                       global("os", "system") + "(S'id'\ntR.",
		"inst":                         "(S'id'\nios\nsystem\n.",
		"obj":                          "(" + global("os", "system") + "S'id'\no.",
		"obj and pop":                  "(" + global("os", "system") + "S'id'\no0N.",
		"newobj":                       p4(sys + ")\x81"),
		"newobj_ex":                    p4(sys + "(" + cmd + "t}\x92"),
		"build with state":             p4(sys + "}b"),
		"build a class":                p4(od + "}" + str("a") + pi + "sb"),
		"build slots of a function":    p4(name("numpy", "prod") + "}}" + str("a") + str("os") + "s\x86b"),
		"build module attribute":       p4(name("numpy", "size") + "N}" + str("shape") + name("numpy", "prod") + "s\x86b"),
		"build slots of an object":     p4(lin + ")\x81N}" + str("__class__") + od + "s\x86b"),
		"build slots with dunder":      p4(name("uuid", "UUID") + ")\x81N}" + str("__class__") + od + "s\x86b"),
		"build twice":                  p4(lin + ")\x81}b}b"),
		"items after the state":        p4(od + ")R}b" + str("a") + pi + "s"),
		"items of an object":           p4(lin + ")\x81" + str("a") + pi + "s"),
		"append to an object":          p4(lin + ")\x81" + pi + "a"),
		"append to a function":         p4(name("numpy", "prod") + pi + "a"),
		"append to a class":            p4(od + "(" + pi + "e"),
		"add to an object":             p4(lin + ")\x81(" + pi + "\x90"),
		"append to a dict class":       p4(od + ")R(" + pi + "e"),
		"ext1":                         p4("\x82\x01"),
		"ext2":                         p4("\x83\x01\x00"),
		"ext4":                         p4("\x84\x01\x00\x00\x00"),
		"ext called":                   p4("\x82\x01)R"),
		"dotted":                       call(name("random", "_os.system"), cmd+"\x85"),
		"dotted through allowed":       call(name("collections", "OrderedDict.fromkeys"), cmd+"\x85"),
		"dotted through module":        call(name("torch", "serialization.os.system"), cmd+"\x85"),
		"dotted class attribute":       p4(name("torch.nn.modules.linear", "Linear.__init__.__globals__")),
		"dunder name":                  p4(name("collections", "__builtins__")),
		"dunder module":                p4(name("__main__", "x")),
		"dunder class":                 p4(name("builtins", "__dict__")),
		"name with a space":            p4(name("torch.nn.modules.linear Linear", "x")),
		"name with a newline":          p4(name("collections", "OrderedDict\nx")),
		"module with a null":           p4(name("collections\x00", "OrderedDict")),
		"unicode lookalike":            p4(name("ｏs", "system")),
		"empty names":                  p4(name("", "")),
		"name from the memo":           p4(str("os") + "\x940" + str("system") + "\x940h\x00h\x01\x93" + cmd + "\x85R"),
		"memo overwritten":             p4(str("collections") + "q\x000" + str("os") + "q\x000h\x00" + str("system") + "\x93"),
		"name by dup":                  p4(str("os") + "2\x93"),
		"name by bytes":                "\x80\x02U\x02osU\x06system\x93.",
		"persistent name":              p4(str("x") + "Q" + str("system") + "\x93"),
		"persistent id text":           "Pos.system\n.",
		"persistent tuple":             p4(str("storage") + sys + "\x86Q"),
		"persistent call":              p4(str("x") + "Q)R"),
		"persistent class":             p4("(" + str("storage") + name("collections", "OrderedDict") + str("0") + str("cpu") + pi + "tQ"),
		"persistent module":            p4("(" + str("module") + sys + str("a.py") + str("") + "tQ"),
		"getattr of a module":          call(name("builtins", "getattr"), name("numpy", "prod")+str("__globals__")+"\x86"),
		"getattr of a class":           call(name("builtins", "getattr"), od+str("fromkeys")+"\x86"),
		"getattr of an enum's method":  call(name("builtins", "getattr"), name("transformers.trainer_utils", "IntervalStrategy")+str("mro")+"\x86"),
		"getattr of an enum's dunder":  call(name("builtins", "getattr"), name("transformers.trainer_utils", "IntervalStrategy")+str("__class__")+"\x86"),
		"getattr chain called":         p4(name("builtins", "getattr") + name("transformers.trainer_utils", "IntervalStrategy") + str("STEPS") + "\x86R)R"),
		"getattr kept":                 p4(name("builtins", "getattr")),
		"getattr in a state":           p4(lin + ")\x81}" + str("f") + name("builtins", "getattr") + "sb"),
		"getattr as a key":             p4("}" + name("builtins", "getattr") + "Ns"),
		"encode with rot13":            call(name("_codecs", "encode"), str("x")+str("rot13")+"\x86"),
		"encode with zip":              call(name("_codecs", "encode"), str("x")+str("zip")+"\x86"),
		"encode unicode escape":        call(name("_codecs", "encode"), str("x")+str("unicode_escape")+"\x86"),
		"encode without codec":         call(name("_codecs", "encode"), str("x")+"\x85"),
		"codec register":               call(name("_codecs", "register"), od+"\x85"),
		"defaultdict of eval":          call(name("collections", "defaultdict"), name("builtins", "eval")+"\x85"),
		"defaultdict of a class":       call(name("collections", "defaultdict"), lin+"\x85"),
		"defaultdict of getattr":       call(name("collections", "defaultdict"), name("builtins", "getattr")+"\x85"),
		"partial of eval":              call(name("functools", "partial"), name("builtins", "eval")+"\x85"),
		"partial of a class":           call(name("functools", "partial"), lin+"\x85"),
		"partial built to another":     p4(name("functools", "partial") + name("numpy", "log") + "\x85R(" + sys + ")}Ntb"),
		"partial called":               p4(name("functools", "partial") + name("numpy", "log") + "\x85R)R"),
		"reconstructor of eval":        call(name("copyreg", "_reconstructor"), name("builtins", "eval")+name("builtins", "object")+"N\x87"),
		"reconstructor of a value":     call(name("copyreg", "_reconstructor"), name("numpy", "log")+name("builtins", "object")+"N\x87"),
		"reconstructor other base":     call(name("copyreg", "_reconstructor"), lin+lin+"N\x87"),
		"newobj function of a value":   call(name("copyreg", "__newobj__"), name("numpy", "log")+"\x85"),
		"class called":                 call(lin, pi+pi+"\x86"),
		"class called without":         call(lin, ")"),
		"class with keywords":          p4(lin + ")}" + str("device") + str("x") + "s\x92"),
		"class made from a class":      p4(lin + od + "\x85\x81"),
		"enum called with a class":     call(name("transformers.trainer_utils", "IntervalStrategy"), od+"\x85"),
		"value called":                 call(name("numpy", "log"), pi+"\x85"),
		"storage called":               call(name("torch", "FloatStorage"), pi+"\x85"),
		"ufunc of another module":      call(name("numpy.core", "_ufunc_reconstruct"), str("os")+str("system")+"\x86"),
		"scalar of objects":            call(name("numpy.core.multiarray", "scalar"), dtype+"N\x86"),
		"dtype of a name":              call(name("numpy", "dtype"), od+"\x85"),
		"dtype of a command":           call(name("numpy", "dtype"), str("f8,os")+"\x85"),
		"objects as bytes":             p4(dtype + "(K\x03" + str("|") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"),
		"objects from a buffer":        call(name("numpy.core.numeric", "_frombuffer"), "(C\x08aaaaaaaa"+dtype+pi+"\x85"+str("C")+"t"),
		"array of another class":       call(name("numpy.core.multiarray", "_reconstruct"), name("builtins", "eval")+"K\x00\x85C\x01b\x87"),
		"tensor of a class":            call(name("torch._utils", "_rebuild_tensor_v2"), "("+od+"K\x00))\x89"+od+")Rt"),
		"tensor with hooks":            p4(name("torch._utils", "_rebuild_tensor_v2") + "(" + storage + "K\x00))\x89" + od + ")R" + pi + name("numpy", "log") + "stR"),
		"from type with eval":          call(name("torch._tensor", "_rebuild_from_type_v2"), "("+name("builtins", "eval")+name("torch", "Tensor")+cmd+"\x85Nt"),
		"from type with load":          call(name("torch._tensor", "_rebuild_from_type_v2"), "("+name("torch.storage", "_load_from_bytes")+name("torch", "Tensor")+"C\x01a\x85Nt"),
		"load from bytes":              call(name("torch.storage", "_load_from_bytes"), "B"+string(binary.LittleEndian.AppendUint32(nil, uint32(len(evil))))+evil+"\x85"),
		"load from encoded bytes":      call(name("torch.storage", "_load_from_bytes"), name("_codecs", "encode")+str(evil)+str("latin1")+"\x86R\x85"),
		"load from nothing":            call(name("torch.storage", "_load_from_bytes"), ")"),
		"load from a call":             call(name("torch.storage", "_load_from_bytes"), name("builtins", "bytes")+")R\x85"),
		"index of eval":                call(name("pandas.core.indexes.base", "_new_Index"), name("builtins", "eval")+"}\x86"),
		"function transformer":         p4(name("sklearn.preprocessing._function_transformer", "FunctionTransformer") + ")\x81}" + str("func") + sys + "sb"),
		"transformer with eval inside": p4(name("sklearn.preprocessing._function_transformer", "FunctionTransformer") + ")\x81}" + str("func") + name("builtins", "eval") + "sb"),
		"random state of eval":         call(name("numpy.random._pickle", "__randomstate_ctor"), str("MT19937")+name("builtins", "eval")+"\x86"),
		"bit generator of eval":        call(name("numpy.random._pickle", "__bit_generator_ctor"), name("builtins", "eval")+"\x85"),
		"call of a call":               p4(od + ")R)R"),
		"call of a string":             p4(cmd + ")R"),
		"call of a list":               p4("])R"),
		"arguments not a tuple":        p4(od + "]R"),
		"dill type":                    call(name("dill._dill", "_load_type"), str("FunctionType")+"\x85"),
		"dill code type":               call(name("dill._dill", "_load_type"), str("CodeType")+"\x85"),
		"torchscript class alone":      p4(name("__torch__.model", "Net") + ")\x81}b"),
		"joblib file elsewhere":        p4(name("joblib.numpy_pickle_compat", "NDArrayWrapper") + ")\x81}(" + str("filename") + str("/etc/passwd") + "ub"),
		"joblib file above":            p4(name("joblib.numpy_pickle_compat", "ZNDArrayWrapper") + ")\x81}(" + str("filename") + str("../x") + "ub"),
		"joblib class":                 p4(wrapper(str("subclass") + sys + str("shape") + "K\x00\x85" + str("dtype") + dtype)),
		"joblib huge":                  p4(wrapper(str("subclass") + name("numpy", "ndarray") + str("shape") + "J\xff\xff\xff\x7f\x85" + str("dtype") + name("numpy", "dtype") + str("f8") + "\x89\x88\x87R")),
		"joblib nested":                p4(wrapper(str("subclass")+name("numpy", "ndarray")+str("shape")+"K\x01\x85"+str("dtype")+dtype) + strings.TrimSuffix(evil, "") + "N0"),
		"bytes that are a pickle":      p4("B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(p4(sys))))) + p4(sys)),
		"bytes in a state":             p4(lin + ")\x81}" + str("x") + "C" + string(rune(len(p4(sys)))) + p4(sys) + "sb"),
		"trailing pickle":              p4("N") + p4(sys+cmd+"\x85R"),
		"trailing garbage":             p4("N") + "garbage",
		"trailing zeros":               p4("N") + "\x00\x00",
		"no stop":                      "\x80\x04" + sys + cmd + "\x85R",
		"broken behind the call":       "\x80\x04" + sys + cmd + "\x85R\xff",
		"cut in an argument":           "\x80\x04" + sys + "X\xff\xff\x00\x00id",
		"truncated harmless":           "\x80\x04]\x94(K\x01",
		"frame too long":               "\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.",
		"frame too short":              "\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00" + sys + cmd + "\x85R.",
		"frame hides a call":           "\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x10" + strings.Repeat("A", 16) + "0" + sys + cmd + "\x85R.",
		"many hidden in a list":        p4("](" + strings.Repeat(pi, 200) + sys + "e"),
		"hidden in a set":              p4("\x8f(" + sys + "\x90"),
		"hidden in a frozenset":        p4("(" + sys + "\x91"),
		"hidden under a mark":          p4("(" + sys + "1N"),
		"behind a big integer":         p4("\x8a\xff" + strings.Repeat("\x01", 255) + "0" + sys),
		"protocol 0 escapes":           "cos\nsystem\n(S'i\\x64'\ntR.",
		"protocol 0 unicode":           "Vos\nVsystem\n\x93.",
		"blank before the module":      "c os\nsystem\n.",
		"carriage return":              "cos\r\nsystem\r\n.",
		"loader by allowed prefix":     p4(name("torch.nn.modules.linear.os", "system")),
		"submodule of an allowed":      p4(name("collections.abc.sys", "modules")),
		"case":                         p4(name("Collections", "OrderedDict")),
		"flair from elsewhere":         p4(name("flair.embeddings.token", "TransformerWordEmbeddings") + ")\x81}(" + str("model") + str("evil/repo") + str("trust_remote_code") + "\x88ub"),
		"flair without configuration":  p4(name("flair.embeddings.token", "TransformerWordEmbeddings") + ")\x81}" + str("model") + str("evil/repo") + "sb"),
		"scipy source":                 p4(name("scipy.stats._continuous_distns", "norm_gen") + ")\x81}" + str("_parse_arg_template") + str("import os\nos.system('id')") + "sb"),
		"scipy source in a default":    p4(name("scipy.stats._continuous_distns", "norm_gen") + ")\x81}" + str("_parse_arg_template") + str("def _parse_args(self, a=eval('1')):\n    return (a), 1") + "sb"),
		"statsmodels formula":          p4(name("statsmodels.base.data", "ModelData") + ")\x81}" + str("restore_design_info") + "\x88sb"),
		"zone called wrongly":          p4(name("zoneinfo", "ZoneInfo._unpickle") + name("collections", "OrderedDict") + "\x85R"),
		"pickle in base64":             p4(str("gASMAm9zjAZzeXN0ZW2TjAJpZIVSLg==")),
		"pickle in hexadecimal":        p4("}" + str("x") + str("80048c026f738c0673797374656d938c02696485522e") + "s"),
		"script's own function":        call(name("__main__", "TrainingArguments"), cmd+"\x85"),
	}
	return table
}

// storage is an identity of a tensor's data.
var storage = "(" + str("storage") + name("torch", "FloatStorage") + str("0") + str("cpu") + "K\x01tQ"

// hostile are all hostile streams by what they do.
func hostile() map[string]string {
	table := structures()
	for line := range strings.FieldsFuncSeq(gadgets, func(r rune) bool { return r == '\n' }) {
		module, n, _ := strings.Cut(line, " ")
		table["stack global: "+line] = p4(name(module, n) + str("id") + "\x85R")
		table["global: "+line] = "\x80\x02" + global(module, n) + "X\x02\x00\x00\x00id\x85R."
		table["inst: "+line] = "(S'id'\ni" + module + "\n" + n + "\n."
		table["obj: "+line] = "(" + global(module, n) + "S'id'\no0N."
	}
	return table
}

// TestHostileBlocked wants every hostile stream to be blocked, also if nothing is
// known to be bad.
func TestHostileBlocked(t *testing.T) {
	full := denied
	defer func() { denied = full }()
	table := hostile()
	for _, list := range []string{full, ""} {
		denied = list
		blocked, malicious := 0, 0
		for what, stream := range table {
			r := scan(t, "x.pkl", []byte(stream))
			if r.Verdict < inspect.Suspicious {
				t.Errorf("%s: %v %v\n%q", what, r.Verdict, r.Globals, stream)
				continue
			}
			blocked++
			if r.Verdict == inspect.Malicious {
				malicious++
			}
		}
		t.Logf("deny list of %d bytes: %d of %d blocked, %d as malicious", len(list), blocked, len(table), malicious)
	}
}

// TestMalicious wants names that have no place in a model to be called so.
func TestMalicious(t *testing.T) {
	for _, line := range []string{"os system", "posix system", "builtins eval", "__builtin__ eval", "subprocess Popen", "pty spawn", "runpy run_path",
		"marshal loads", "random _os.system", "pickle loads", "torch.hub load", "commands getoutput", "asyncio create_subprocess_shell"} {
		module, n, _ := strings.Cut(line, " ")
		if r := scan(t, "x", []byte(p4(name(module, n)))); r.Verdict != inspect.Malicious {
			t.Errorf("%s: %v", line, r.Verdict)
		}
	}
	if r := scan(t, "x", []byte(p4(name("mymodel", "Net")))); r.Verdict != inspect.Suspicious {
		t.Errorf("unknown: %v", r.Verdict)
	}
}

// TestListsAreSorted wants each list to be one that a search finds its way in.
func TestListsAreSorted(t *testing.T) {
	files := []string{}
	for _, folder := range []string{"globals", "reviewed"} {
		entries, err := lists.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			files = append(files, folder+"/"+e.Name())
		}
	}
	check := func(file, text string, contracts bool) {
		last := ""
		for line := range strings.Lines(text) {
			if line <= last || !strings.HasSuffix(line, "\n") {
				t.Fatalf("%s: %q is out of order", file, line)
			}
			last = line
			module, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, use, _ := strings.Cut(rest, " ")
			if contracts && (!plainName(module) || !plainName(n) || strings.Contains(n, ".") && n != "ZoneInfo._unpickle") {
				t.Errorf("%s: %q can never be found", file, line)
			}
			if c := parseContract(use); contracts && !known(c) {
				t.Errorf("%s: %q has an unknown contract", file, line)
			}
			if _, ok := search(text, module+" "+n+" "); !ok {
				t.Errorf("%s: %q is not found", file, line)
			}
		}
	}
	for _, file := range files {
		data, _ := lists.ReadFile(file)
		for _, field := range []string{"# framework: ", "# versions: ", "# source: ", "# reason: "} {
			if !strings.Contains(string(data), field) {
				t.Errorf("%s: no %q", file, field)
			}
		}
		check(file, list(file), true)
	}
	check("denied.txt", body(denied), false)
	if _, ok := search("", "x"); ok {
		t.Error("found in nothing")
	}
}

// known reports whether a contract is one that the rules know.
func known(c contract) bool {
	switch c.kind {
	case "", "class", "dict", "list", "set", "tuple", "scalar", "enum", "value", "storage", "ordereddict", "ndarray", "wrapper", "zone":
	default:
		return false
	}
	switch c.product {
	case "", "plain", "object", "items", "bytes", "dtype", "array", "storage", "tensor":
	default:
		return false
	}
	if strings.Trim(c.args, "/ifsBnptlxwcvedaSTo") != "" {
		return false
	}
	if c.special != "" && fmt.Sprintf("%p", specials(c.special)) == fmt.Sprintf("%p", special(never)) {
		return false
	}
	return c.kind+c.product+c.special != ""
}
