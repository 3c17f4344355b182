"""What classes.py reads and what it takes for harmless."""

# PACKAGES names the top-level packages, the modules in them whose classes
# belong into pickles ("only"), those that do not ("not"), and module prefixes
# under which the same sources are imported as well ("also").
PACKAGES = {
    "sklearn": {"not": ["sklearn.externals", "sklearn.datasets", "sklearn.utils._testing", "sklearn.utils.testing", "sklearn._build_utils"]},
    "numpy": {"only": ["numpy.ma", "numpy.matrixlib", "numpy.polynomial", "numpy.lib.index_tricks"]},
    "scipy": {"only": ["scipy.sparse", "scipy.interpolate", "scipy.spatial", "scipy.signal", "scipy.optimize", "scipy.stats"]},
    "pandas": {"only": ["pandas.core", "pandas.tseries"], "not": ["pandas.core.computation"]},
    "joblib": {"only": ["joblib.numpy_pickle", "joblib.numpy_pickle_compat"]},
    "torch": {"only": ["torch.nn", "torch.optim", "torch.distributions", "torch.utils.data.dataset", "torch.utils.data.sampler",
                       "torch.ao.nn", "torch.ao.quantization", "torch.quantization", "torch.amp", "torch.cuda.amp", "torch.torch_version"]},
    "transformers": {"not": ["transformers.commands", "transformers.agents", "transformers.tools", "transformers.testing_utils",
                             "transformers.utils", "transformers.benchmark", "transformers.onnx", "transformers.pipelines",
                             "transformers.file_utils", "transformers.dynamic_module_utils", "transformers.cli", "transformers.kernels"]},
    "accelerate": {"not": ["accelerate.commands", "accelerate.test_utils"]},
    "peft": {}, "trl": {"not": ["trl.commands", "trl.scripts", "trl.environment"]}, "sentence_transformers": {}, "setfit": {},
    "xgboost": {"not": ["xgboost.testing", "xgboost.spark", "xgboost.dask"]}, "lightgbm": {"not": ["lightgbm.dask"]},
    "catboost": {}, "statsmodels": {"not": ["statsmodels.datasets", "statsmodels.tools.testing"]},
    "imblearn": {}, "torchvision": {"not": ["torchvision.datasets"]}, "torchaudio": {"only": ["torchaudio.models", "torchaudio.transforms"]},
    "pytorch_lightning": {"not": ["pytorch_lightning.cli", "pytorch_lightning.utilities.cli"]},
    "lightning": {"only": ["lightning.pytorch", "lightning.fabric"], "not": ["lightning.pytorch.cli"]},
    "lightning_fabric": {}, "torchmetrics": {},
    "ultralytics": {"only": ["ultralytics.nn", "ultralytics.utils", "ultralytics.yolo.utils", "ultralytics.yolo.v8", "ultralytics.models.yolo"],
                    "not": ["ultralytics.utils.callbacks", "ultralytics.utils.benchmarks", "ultralytics.utils.downloads"]},
    "yolov5": {"only": ["yolov5.models", "yolov5.utils"], "also": {"models": "yolov5.models"}},
    "flair": {"not": ["flair.datasets"]}, "pyannote": {}, "omegaconf": {}, "simpletransformers": {},
    "timm": {}, "speechbrain": {"not": ["speechbrain.utils"]}, 
    "diffusers": {"only": ["diffusers.models", "diffusers.schedulers", "diffusers.configuration_utils", "diffusers.training_utils"]},
    "tokenizers": {"only": ["tokenizers.implementations"]},
    "category_encoders": {}, "feature_engine": {"not": ["feature_engine.datasets"]}, "hdbscan": {}, "umap": {}, "pynndescent": {},
    "gensim": {"only": ["gensim.models", "gensim.corpora", "gensim.utils", "gensim.similarities"]},
    "skorch": {}, "mlxtend": {"not": ["mlxtend.data"]}, "lifelines": {"not": ["lifelines.datasets"]}, "ngboost": {}, "pmdarima": {"not": ["pmdarima.datasets"]},
    "prophet": {"not": ["prophet.stan_model"]}, "imodels": {}, "easydict": {}, "addict": {}, "yacs": {}, "ml_collections": {}, "sklearn_crfsuite": {},
    "segmentation_models_pytorch": {"not": ["segmentation_models_pytorch.datasets"]}, "stable_baselines3": {"not": ["stable_baselines3.common.vec_env"]},
    "gymnasium": {"only": ["gymnasium.spaces"]}, "tpot": {"only": ["tpot.builtins"]},
}

# SKIP are parts of module names that are never in a model.
SKIP = {"tests", "test", "testing", "conftest", "__main__", "setup", "_vendor", "vendor", "cli", "commands", "scripts", "examples",
        "benchmarks", "benchmark", "onnx", "hubconf", "torch_hub_utils", "_dask", "dask", "spark", "ray", "launch", "doctest_ellipsis"}

# BASES are the classes of Python and of compiled modules, each with why it is
# refused ("" for not at all) and its kind.
BASES = {k: ("", kind) for kind, names in {
    "class": """object ABC abc.ABC Generic typing.Generic Protocol typing.Protocol typing_extensions.Protocol
        collections.abc.Mapping collections.abc.MutableMapping collections.abc.Sequence collections.abc.Iterable collections.abc.Iterator
        collections.abc.Container collections.abc.Callable collections.abc.Hashable collections.abc.Sized collections.abc.Set
        typing.Mapping typing.MutableMapping typing.Sequence typing.Iterable typing.Iterator typing.Callable typing.Sized typing.Container typing.Hashable
        argparse.Namespace types.SimpleNamespace TypedDict typing.TypedDict UserWarning_ Cython threading.local_ PushToHubMixin_ _abc_data
        torch._C._functions_ torch.nn.Module_ PyTorchModelHubMixin_""",
    "dict": "dict OrderedDict collections.OrderedDict typing.OrderedDict Counter_ collections.Counter_ UserDict_ typing.Dict Dict",
    "list": "list typing.List List collections.UserList_",
    "tuple": "tuple NamedTuple typing.NamedTuple typing_extensions.NamedTuple typing.Tuple",
    "set": "set frozenset",
    "scalar": "str int float bytes complex",
    "enum": """Enum enum.Enum IntEnum enum.IntEnum Flag enum.Flag IntFlag enum.IntFlag StrEnum enum.StrEnum
        lightning_utilities.core.enums.StrEnum huggingface_hub.constants_""",
}.items() for k in names.split()}
BASES.update({"UserDict": ("", "class"), "collections.UserDict": ("", "class"), "collections.UserList": ("", "class")})

# CALLS are the calls that methods run by loading may make: on names, and, with a
# dot, on anything. They compare, copy, convert and set attributes.
CALLS = set("""isinstance issubclass len hasattr dict list tuple set frozenset type str int float bool repr id hash zip range enumerate
    sorted reversed any all min max sum abs super iter next
    self.__dict__.update self.__dict__.copy super().__init__ object.__setattr__ object.__new__ dict.__new__ list.__new__ tuple.__new__ str.__new__
    int.__new__ float.__new__ super().__new__ super().__setattr__ super().__setitem__ super().__setstate__ super().__hash__ super().__eq__
    dict.__setitem__ list.append list.extend super().append super().extend super().update
    OrderedDict collections.OrderedDict defaultdict copy.copy copy.deepcopy
    warnings.warn logger.warning logger.info logger.warning_once logger.debug ValueError TypeError AttributeError KeyError RuntimeError NotImplementedError
    Exception ModuleNotFoundError ImportError AssertionError NotFittedError DeprecationWarning FutureWarning UserWarning
    threading.Lock threading.RLock Lock RLock
    np.asarray np.array np.array_equal np.zeros np.empty np.dtype parse_version
    .format .join .startswith .endswith .lower .upper .strip .split .keys .values .items .copy .setdefault .pop
    .__hash__ .__eq__ .isdigit .replace .group .__setattr__ .__len__ torch.is_tensor torch.Size torch.equal""".split())
CALLS |= {"super", ".get", "InconsistentVersionWarning", "np.all", "np.allclose", "torch.tensor"}
CALLS.add("setattr")
CALLS.add("getattr")

# REFUSED are calls that no class of a model makes in any of its methods: whoever
# uses the loaded object would run code that the file says.
REFUSED = set("""eval exec compile __import__ os.system os.popen os.execv os.execvp os.spawnv os.startfile os.remove_ os.unlink_
    subprocess. ctypes. runpy. marshal. pty. socket. importlib.import_module import_module shutil.rmtree
    pickle.load pickle.loads cPickle.load dill.load dill.loads cloudpickle.load cloudpickle.loads joblib.load pickle.Unpickler
    types.FunctionType types.CodeType FunctionType code.interact
    urllib.request. urlretrieve requests.get requests.post""".split())

# READ are methods that call something else and were read.
READ = {
    ("torch.optim.optimizer", "Optimizer", "__setstate__"): "wraps its own step for a profiler",
    ("pandas.core.internals.blocks", "Block", "__setstate__"): "keeps its three parts",
    ("pandas.core.internals.managers", "BlockManager", "__setstate__"): "keeps axes and blocks",
    ("pandas.core.generic", "NDFrame", "__setstate__"): "keeps the manager and attributes",
    ("pandas.core.dtypes.base", "ExtensionDtype", "__eq__"): "compares names",
    ("pandas.core.dtypes.base", "ExtensionDtype", "__hash__"): "hashes what names it",
    ("pandas.core.indexes.base", "Index", "__setstate__"): "keeps data and attributes",
    ("torchmetrics.metric", "Metric", "__setstate__"): "wraps its own methods",
    ("torch.nn.modules.rnn", "RNNBase", "__setstate__"): "names its weights",
    ("torch.ao.nn.quantized.modules.conv", "_ConvNd", "__setstate__"): "packs its weights",
    ("torch.ao.nn.quantized.modules.linear", "LinearPackedParams", "__setstate__"): "packs its weights",
    ("torch.nn.quantized.modules.conv", "_ConvNd", "__setstate__"): "packs its weights",
    ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor", "__setstate__"): "converts its nodes' byte order",
    ("sklearn.isotonic", "IsotonicRegression", "__setstate__"): "makes its interpolation of its numbers",
    ("accelerate.optimizer", "AcceleratedOptimizer", "__setstate__"): "wraps the step of its optimizer",
    ("gymnasium.spaces.space", "Space", "__setstate__"): "renames old attributes",
    ("transformers.generation.configuration_utils", "GenerationConfig", "__hash__"): "writes itself as JSON",
    ("pandas.core.indexes.base", "Index", "__new__"): "only ever called without arguments",
}
