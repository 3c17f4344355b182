# Compiles every k-th source file below a tree, so that the same sources always
# give the same bytes wherever the tree lies.
#
# Two things make that so. Names in the code begin with the folder at which the
# tree will be mounted. And the code is written in version 2 of the marshal
# format: from version 3 on, what is written depends on how many references to
# an object happen to exist in this process.
import importlib.util, marshal, os, sys, warnings

tree, mount, k, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
warnings.simplefilter("ignore")
sources = []
for folder, folders, files in os.walk(os.path.join(tree, "lib")):
    sources += [os.path.join(folder, f) for f in files if f.endswith(".py")]
for path in sorted(sources)[k::parts]:
    with open(path, "rb") as f:
        source = f.read()
    try:
        code = compile(source, mount + path[len(tree):], "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        continue  # a template or a test of another Python; importing it would fail too
    # PEP 552: bit 0 of the flags says that a hash stands here and no time, bit 1
    # (not set) that it is to be checked. The tree is read-only and verified whole.
    data = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source) + marshal.dumps(code, 2)
    cached = importlib.util.cache_from_source(path, optimization="")
    os.makedirs(os.path.dirname(cached), exist_ok=True)
    with open(cached, "wb") as f:
        f.write(data)
