"""What CPython's parser finds in a sample of its standard library, one JSON
object per file. With an argument: in all Python files of that folder."""

import ast, glob, json, os, sys, sysconfig, warnings

warnings.simplefilter("ignore")
lib = sysconfig.get_paths()["stdlib"]
if len(sys.argv) > 1 and sys.argv[1]:
    files = sorted(glob.glob(os.path.join(sys.argv[1], "**", "*.py"), recursive=True))
else:
    files = sorted(glob.glob(os.path.join(lib, "*.py"))) + sorted(glob.glob(os.path.join(lib, "asyncio", "*.py")))
    files += [f for name in ("grammar", "fstring", "patma", "generators", "unicode_identifiers", "type_params", "tokenize", "ast", "decorators", "compile")
              for f in [os.path.join(lib, "test", "test_%s.py" % name)] if os.path.exists(f)]


def name(node):
    tail = []
    while isinstance(node, ast.Attribute):
        tail.append(node.attr)
        node = node.value
    tail.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(tail))


class Visitor(ast.NodeVisitor):
    def __init__(self):
        self.imports, self.calls, self.defs, self.depth = [], [], [], 0

    def visit_Import(self, node):
        self.imports += [a.name + "::" + (a.asname or "") for a in node.names]

    def visit_ImportFrom(self, node):
        self.imports += ["." * node.level + (node.module or "") + ":" + a.name + ":" + (a.asname or "") for a in node.names]

    def visit_Call(self, node):
        self.calls.append(("later " if self.depth else "") + name(node.func))
        self.generic_visit(node)

    def visit_ClassDef(self, node):
        self.defs.append(node.name)
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self.defs.append(node.name)
        for part in node.decorator_list + [node.args, node.returns] + getattr(node, "type_params", []):
            if part:
                self.visit(part)
        self.depth += 1
        for part in node.body:
            self.visit(part)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef


for file in files[::1 if len(sys.argv) > 1 and sys.argv[1] else 2]:
    with open(file, "rb") as f:
        source = f.read()
    if not source.isascii() and b"coding:" in source[:200] and b"utf-8" not in source[:200]:
        continue
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        continue
    v = Visitor()
    v.visit(tree)
    print(json.dumps({"File": file, "Imports": v.imports, "Calls": v.calls, "Defs": v.defs}))
