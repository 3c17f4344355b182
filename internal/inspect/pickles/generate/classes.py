#!/usr/bin/env python3
"""Lists the classes that a pickle may hold, out of the sources of the libraries.

    python3 classes.py WHEELS OUT

WHEELS is a folder of folders "name==version" that each hold one wheel
("pip download --no-deps"); nothing is installed or imported, the sources are
only parsed. OUT receives one file for each top-level package, with a line
"module name contract" for each class.

A class is listed if nothing that loading a pickle runs on an instance of it
does more than to set attributes: its __new__, __setstate__, __hash__, __eq__,
__del__, __setattr__ and what it overrides of list and dict are parsed, for it
and all its bases, and may call harmless things only (CALLS); what a reviewer
has read is in READ. A class whose methods evaluate or import code, or run
programs (REFUSED), is not listed either, whatever runs it. If versions differ,
all of them must pass.
"""
import ast
import collections
import pathlib
import sys
import zipfile

from frameworks import BASES, CALLS, PACKAGES, READ, REFUSED, SKIP

Class = collections.namedtuple("Class", "module name bases body enum slots dataclass")
OBJECT = ast.Name("object")
MAKERS = ("from_pretrained", "save_pretrained", "push_to_hub", "from_config", "save", "load_dataset", "fetch_images")  # not called on what was loaded, or to write
HOOKS = ("__new__", "__setstate__", "__hash__", "__eq__", "__del__", "__setattr__", "__missing__")
ITEMS = {"dict": ("__setitem__", "update"), "list": ("append", "extend", "__setitem__"), "set": ("add", "update")}


def wanted(package, module):
    """wanted says whether classes of the module belong into pickles."""
    parts = module.split(".")
    if any(p in SKIP or p.startswith("test_") or p.endswith("_test") for p in parts):
        return False
    rule = PACKAGES[package]
    inside = any(module == m or module.startswith(m + ".") for m in rule.get("only", [package]))
    return inside and not any(module == m or module.startswith(m + ".") for m in rule.get("not", []))


def imports(module, is_package, tree):
    """imports maps the names of a module to what they were imported as."""
    found, stars = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                found[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join(parts + ([node.module] if node.module else []))
            for a in node.names:
                if a.name == "*":
                    stars.append(base)
                else:
                    found[a.asname or a.name] = base + "." + a.name
    return found, stars


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return head and head + "." + node.attr
    if isinstance(node, ast.Subscript):  # Generic[T]
        return dotted(node.value)
    return None


def top(body):
    """top yields the statements of a module that run on import."""
    for node in body:
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from top(getattr(node, part, []))
            for h in getattr(node, "handlers", []):
                yield from top(h.body)
        else:
            yield node


def harmless(module, cls, fn):
    """harmless says what a method calls that it may not; "" for nothing."""
    if (module, cls, fn.name) in READ:
        return ""
    for c in calls(fn):
        first, last = c.split(".")[0], c.split(".")[-1]
        if first in ("os", "shutil", "sys", "pathlib"):
            return f"{fn.name} of {module}.{cls} calls {c}"
        if c not in CALLS and not (c.startswith("super(") and last == fn.name) and "." + last not in CALLS:
            return f"{fn.name} of {module}.{cls} calls {c}"
    return ""


def facts(module, node):
    """facts is what judging a class needs to know of its source."""
    own = [n for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    targets = {t.id: n.value for n in node.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    hashed = "__hash__" in targets or any(f.name == "__hash__" for f in own)
    runs = [f for f in own if not any(dotted(d) in ("classmethod", "staticmethod") for d in f.decorator_list) and f.name not in MAKERS]
    made = [c for f in runs for c in calls(f)]
    safe = ("object.__hash__", "_hash", "str.__hash__", "None")
    return {
        "bases": [dotted(b) or "?" + ast.unparse(b)[:60] for n in node.bases for b in (n.args[1:] or [OBJECT] if isinstance(n, ast.Call) and n.func and (dotted(n.func) or "").endswith("with_metaclass") else [n])],
        "enum": any(k.arg == "metaclass" and (dotted(k.value) or "").split(".")[-1] in ("EnumMeta", "EnumType") for k in node.keywords),
        "hooks": {f.name: harmless(module, node.name, f) for f in own if (f.name in HOOKS or any(f.name in i for i in ITEMS.values())) and (f.name != "__eq__" or hashed)},
        "assigned": [t for t in targets if t in HOOKS and ast.unparse(targets[t]) not in safe],
        "refused": next((c for c in made if c in REFUSED or any(c.startswith(r) for r in REFUSED if r.endswith("."))), ""),
        "slots": "__slots__" in targets and ast.unparse(targets["__slots__"]) not in ("()", "[]")
                 or any("slots=True" in ast.unparse(d) for d in node.decorator_list),
    }


class Source:
    """Source is one version of one package."""

    def __init__(self, spec, wheel):
        self.spec, self.classes, self.names, self.stars = spec, {}, {}, {}
        for info in wheel.infolist():
            if not info.filename.endswith(".py") or ".data/" in info.filename:
                continue
            path = info.filename[:-3].split("/")
            package = path[-1] == "__init__"
            module = ".".join(path[:-1] if package else path)
            rule = PACKAGES.get(module.split(".")[0])
            only = rule and rule.get("only", [module])
            if rule is None or not any(module.startswith(m) or m.startswith(module) for m in only) or any(p in SKIP or p.startswith("test_") for p in path):
                continue
            try:
                tree = ast.parse(wheel.read(info))
            except (SyntaxError, ValueError):
                continue
            self.names[module], self.stars[module] = imports(module, package, tree)
            for node in top(tree.body):
                if isinstance(node, ast.ClassDef):
                    self.classes.setdefault((module, node.name), []).append(facts(module, node))
                elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    to = dotted(node.value)
                    if to:
                        self.names[module].setdefault(node.targets[0].id, module + "." + to if "." not in to else to)
                    elif isinstance(node.value, ast.Call) and dotted(node.value.func) in ("namedtuple", "collections.namedtuple"):
                        self.classes.setdefault((module, node.targets[0].id), []).append(None)


class Universe:
    def __init__(self, sources):
        self.sources = sources
        self.where = collections.defaultdict(list)
        for s in sources:
            for key in s.classes:
                self.where[key].append(s)

    def resolve(self, source, module, name, depth=0):
        """resolve follows a name in a module to the class it stands for."""
        if depth > 12:
            return None
        if (module, name) in source.classes:
            return source, (module, name)
        if module in source.names:
            head, _, rest = name.partition(".")
            if head in source.names[module]:
                target = source.names[module][head] + ("." + rest if rest else "")
                return self.absolute(source, target, depth + 1)
            for star in source.stars[module]:
                got = self.resolve(source, star, name, depth + 1)
                if got and got[1] is not None:
                    return got
        if name in BASES:
            return source, name
        return None

    def absolute(self, source, target, depth):
        if target in BASES:
            return source, target
        parts = target.split(".")
        for i in range(len(parts) - 1, 0, -1):
            module, name = ".".join(parts[:i]), ".".join(parts[i:])
            if module in source.names:
                return self.resolve(source, module, name, depth)
        for other in reversed(self.sources):  # the newest version of another package
            for i in range(len(parts) - 1, 0, -1):
                module, name = ".".join(parts[:i]), ".".join(parts[i:])
                if module in other.names:
                    return self.resolve(other, module, name, depth)
        return None


def callee(node):
    """callee writes what is called, without arguments: "super().__init__"."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return callee(node.value) + "." + node.attr
    if isinstance(node, ast.Call):
        return callee(node.func) + "()"
    if isinstance(node, ast.Subscript):
        return callee(node.value) + "[]"
    return "?"


def calls(node):
    for n in ast.walk(node):
        if isinstance(n, ast.Call):
            yield callee(n.func)


judged = {}


def judge(universe, source, key, seen=()):
    """judge returns why a class is refused, and its kind."""
    if isinstance(key, str):
        return BASES[key]
    at = (id(source), key)
    if at not in judged:
        judged[at] = judge_once(universe, source, key, seen)
    return judged[at]


def judge_once(universe, source, key, seen):
    if key in seen:
        return "its bases turn in a circle", None
    kind, mode = "class", ""
    for c in source.classes[key]:
        if c is None:
            return "", "tuple"
        for base in c["bases"]:
            got = universe.resolve(source, key[0], base)
            if not got or got[1] == key:
                return f"its base {base} is unknown", None
            why, of = judge(universe, *got, seen + (key,))
            if why:
                return why, None
            of, _, m = of.partition(":")
            mode = "state" if "state" in (mode, m) else mode or m
            if of != "class":
                kind = of
        if c["enum"]:
            kind = "enum"
        for name, why in c["hooks"].items():
            if name == "__setattr__" and mode != "slots" and not c["slots"]:
                continue  # only a state with slots calls it
            if why and (name in HOOKS or name in ITEMS.get(kind, ())):
                return why, None
        if c["assigned"]:
            return f"it assigns {c['assigned'][0]}", None
        if c["refused"]:
            return f"it calls {c['refused']}", None
        if "__setstate__" in c["hooks"]:
            mode = "state"
        elif c["slots"] and mode != "state":
            mode = "slots"
    if kind in ("tuple", "scalar", "enum"):
        mode = ""
    return "", kind + (mode and ":" + mode)


def read(spec, wheel):
    """read parses the sources in a wheel."""
    with zipfile.ZipFile(wheel) as z:
        return Source(spec, z)


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    sources = []
    for d in sorted(folder.iterdir(), key=lambda d: (d.name.split("==")[0], [int(x) if x.isdigit() else 0 for x in d.name.split("==")[1].split(".")])):
        for wheel in d.glob("*.whl"):
            sources.append(read(d.name, wheel))
    universe = Universe(sources)
    lines, refused, versions = collections.defaultdict(dict), [], collections.defaultdict(set)
    for (module, name), where in universe.where.items():
        package = module.split(".")[0]
        if not wanted(package, module) or name.startswith("__"):
            continue
        kinds = set()
        for s in where:
            versions[package].add(s.spec)
            why, kind = judge(universe, s, (module, name))
            if why:
                refused.append(f"{module} {name}: {why} ({s.spec})")
                kinds = None
                break
            kinds.add(kind)
        if kinds:
            kinds = kinds - {"class"} if len(kinds) > 1 else kinds
            if len(kinds) > 1:
                refused.append(f"{module} {name}: it is {kinds}")
                continue
            lines[package][f"{module} {name} {kinds.pop()}"] = 1
    for package, rule in PACKAGES.items():
        for other, prefix in rule.get("also", {}).items():
            lines[other].update({other + line[len(prefix):]: 1 for line in lines[package] if line.startswith(prefix + ".")})
            versions[other] |= versions[package]
    total = 0
    for package, found in sorted(lines.items()):
        head = [f"# framework: {package}",
                "# versions: " + ", ".join(sorted(versions[package])),
                "# source: the sources in these wheels, by generate/classes.py",
                "# reason: loading an instance sets attributes and runs nothing else of the framework"]
        (out / f"{package}.txt").write_text("\n".join(head + sorted(found)) + "\n")
        total += len(found)
    pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "/dev/null").write_text("\n".join(sorted(refused)) + "\n")
    print(total, "classes;", len(refused), "refused")


if __name__ == "__main__":
    main()
