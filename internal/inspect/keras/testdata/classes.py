"""Writes ../classes.txt, the classes and functions that a Keras configuration
may name, from the sources of released wheels. Nothing of them is imported.

    python classes.py FOLDER      # with folders keras-3.12.0/src, tf_keras-2.19.0/src, …

A class is listed if it descends from one of ROOTS, which take numbers, strings
and other listed objects from their configuration and nothing else, and is not
in REFUSED. A function is listed if it is exported from one of FUNCTIONS.
"""
import ast
import os
import sys

ROOTS = {
    "Layer", "Initializer", "Regularizer", "Constraint", "Optimizer", "OptimizerV2", "BaseOptimizer", "_BaseOptimizer",
    "KerasOptimizer", "LearningRateSchedule", "Loss", "Metric", "DTypePolicy", "Policy", "Operation", "Model",
    "SeedGenerator", "Quantizer", "FeatureSpace", "Feature", "Cross", "RematScope", "LossScaleOptimizer",
    "Preprocessor", "Sampler", "PreprocessingLayer", "BaseRandomLayer", "Task", "Backbone",
    "base_layer.Layer", "DTypePolicyMap", "BaseCalculator", "Calculator", "QuantizationConfig",
}

# Classes that run, load or read something, or take any function.
REFUSED = {
    "Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "FlaxModuleWrapper", "TFOpLambda",
    "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "Export", "ExportArchive",
    "ReloadedLayer", "GenericUDF", "SavedModelLayer", "KerasLayer", "Sidecar", "RevivedLayer", "RevivedNetwork",
}

FUNCTIONS = ("activations", "losses", "metrics", "initializers", "regularizers", "constraints")
NOT_FUNCTIONS = {"get", "serialize", "deserialize", "linear_serialize"}


def exports(node):
    """The public names that decorators give, and the package and name under
    which they register."""
    public, registered = [], []
    for d in node.decorator_list:
        if not isinstance(d, ast.Call):
            continue
        name = d.func.attr if isinstance(d.func, ast.Attribute) else getattr(d.func, "id", "")
        args = []
        for a in d.args:
            for c in a.elts if isinstance(a, (ast.List, ast.Tuple)) else [a]:
                if isinstance(c, ast.Constant) and isinstance(c.value, str):
                    args.append(c.value)
        if name.endswith("_export"):
            public += args
            for k in d.keywords:
                if k.arg == "v1" and isinstance(k.value, (ast.List, ast.Tuple)):
                    public += [c.value for c in k.value.elts if isinstance(c, ast.Constant)]
        if name == "register_keras_serializable":
            kw = {k.arg: k.value.value for k in d.keywords if isinstance(k.value, ast.Constant)}
            package = kw.get("package", args[0] if args else "Custom")
            registered.append(package + ">" + kw.get("name", args[1] if len(args) > 1 else node.name))
    return public, registered


def base(b):
    if isinstance(b, ast.Attribute):
        return b.attr
    return getattr(b, "id", "")


classes, functions, wheels = {}, set(), []  # (wheel, name) -> [bases, modules, registered]
for wheel in sorted(os.listdir(sys.argv[1])):
    if not wheel.startswith(("keras", "tf_keras", "tensorflow_addons")):
        continue
    src = os.path.join(sys.argv[1], wheel, "src")
    found = {}
    for folder, _, files in os.walk(src):
        for file in files:
            if not file.endswith(".py") or "_test" in file or "/testing" in folder:
                continue
            path = os.path.join(folder, file)
            module = os.path.relpath(path, src)[:-3].replace("/", ".").removesuffix(".__init__")
            with open(path) as f:
                tree = ast.parse(f.read())
            package = module.split(".")[0]
            for node in tree.body:
                if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                    continue
                public, registered = exports(node)
                if package == "tf_keras":
                    public += ["tf_" + p for p in public]
                if isinstance(node, ast.ClassDef):
                    bases, modules, names = found.setdefault(node.name, (set(), set(), set()))
                    bases |= {base(b) for b in node.bases}
                    modules.add((module, node.name))
                    modules |= {tuple(p.rsplit(".", 1)) for p in public if "." in p}
                    names |= set(registered)
                    if package in ("keras_hub", "keras_nlp", "keras_cv"):
                        names.add(package + ">" + node.name)
                else:
                    for p in public:
                        m, name = p.rsplit(".", 1)
                        if m.split(".")[-1] in FUNCTIONS and m.split(".")[0] in ("keras", "tf_keras") and name not in NOT_FUNCTIONS:
                            functions.add(name)
    if not found:
        continue
    wheels.append(wheel)

    def good(name, seen):
        if name in REFUSED or name in seen:
            return False
        if name in ROOTS:
            return True
        return name in found and any(good(b, seen | {name}) for b in found[name][0])

    for name, (bases, modules, registered) in found.items():
        if good(name, set()):
            m, r = classes.setdefault(name, (set(), set()))
            for module, public in modules:
                mm, rr = classes.setdefault(public, (set(), set()))
                mm.add(module)
                rr |= registered

modules = sorted({m for ms, _ in classes.values() for m in ms})
number = {m: i for i, m in enumerate(modules)}
out = [
    "# Classes and functions that a Keras configuration may name.",
    "# Made by testdata/classes.py from: " + " ".join(wheels) + ".",
    "# Reason: a class is here if it descends from a Keras base class whose configuration holds numbers, names and",
    "# other such objects only; those that run, load or read something are left out. m: a module; f: a function of",
    "# the activations, losses, metrics, initializers, regularizers or constraints; c: a class, the numbers of its",
    "# modules counted from 0, and the names that it registers under.",
]
out += ["m " + m for m in modules]
out += ["f " + f for f in sorted(functions)]
for name in sorted(classes):
    ms, rs = classes[name]
    own = {r for r in rs}
    out.append(" ".join(["c", name, ",".join(str(number[m]) for m in sorted(ms))] + sorted(own)))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "classes.txt"), "w") as f:
    f.write("\n".join(out) + "\n")
print(len(modules), len(functions), len(classes))
