"""Says what unpickling does, without doing it.

Reads cases from the file that is the first argument, each a byte for what it
is, its length in four bytes, least first, and as many bytes. Writes one line of
JSON for each: the names that any of CPython's unpicklers asked for, how they
were used, and whether a load came to its end.

No name is ever resolved. Whoever asks for one gets a class that stands for it,
whose instances take whatever a pickle can do to an object. Only a name that
cannot be one ends the load, as in Python.
"""

import _pickle
import bz2
import copyreg
import io
import json
import lzma
import pickle
import resource
import signal
import sys
import tarfile
import zipfile
import zlib

LIMIT = 1 << 20  # bytes that a container may yield
STREAMS = 12  # pickles that are loaded one after another

# What a program with a registry of its own would have under these codes.
copyreg._inverted_registry.update({1: ("os", "system"), 200: ("posix", "system"), 300: ("builtins", "eval"), 70000: ("runpy", "run_path")})


class Log:
    """What happened in one case."""

    def clear(self):
        self.asked, self.built, self.called, self.loaded = {}, [], 0, 0
        self.error, self.mode, self.depth = "", 0, 0

    def ask(self, module, name):
        self.asked[module, name] = self.asked.get((module, name), 0) | self.mode


log = Log()


def built(cls):
    if len(log.built) < 8:
        log.built.append(cls.stands_for)
    return lambda *_: None


class Meta(type):
    """The class of classes that stand for names: changing one is told."""

    __setstate__ = append = extend = add = update = property(built)

    def __setitem__(cls, key, value):
        built(cls)

    def __setattr__(cls, key, value):
        built(cls)

    def __getattr__(cls, key):
        if key.startswith("__"):
            raise AttributeError(key)
        return stand_in(cls.stands_for[0], cls.stands_for[1] + "." + key)


class Instance:
    stands_for = ("", "")

    def __new__(cls, *args, **kwargs):
        if not isinstance(cls, Meta):  # NEWOBJ of an object
            cls = type(cls)
        log.called |= log.mode
        self = object.__new__(cls)
        self.__dict__["args"] = args
        if cls.stands_for == ("torch.storage", "_load_from_bytes") and args and isinstance(args[0], bytes):
            nested(args[0])
        return self

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Instance.__new__(type(self), *args)

    def __setstate__(self, state):
        self.__dict__["state"] = state

    def append(self, *args):
        pass

    extend = add = update = __setitem__ = append


known = {}


def stand_in(module, name):
    cls = known.get((module, name))
    if cls is None:
        if len(known) > 20000:
            known.clear()
        cls = known[module, name] = Meta("Stand", (Instance,), {"stands_for": (module, name)})
    return cls


def resolvable(name):
    """Whether Python could have a module or an attribute of this name.

    A load that asks for any other ends there, in an exception, and nothing that
    follows in the stream is done. __import__("") and __import__("a..b") raise
    before they look for anything, and an attribute is what an assignment, a
    definition or an import has put there, all of which need an identifier. Its
    module is imported before that: that much any text does that begins with c.
    A file "my-module.py" could be imported by that name all the same, but only
    one that lies beside the model, which is judged as what it is: a program.
    """
    return all(part.isidentifier() for part in name.split("."))


def resolve(name):
    if not resolvable(name):
        raise ImportError(name)


def find(self, module, name):
    resolve(module)
    resolve(name)
    log.ask(module, name)
    return stand_in(module, name)


class InC(_pickle.Unpickler):
    find_class = find

    def persistent_load(self, pid):
        return object.__new__(stand_in("", ""))


class InPython(pickle._Unpickler):
    find_class = find

    def persistent_load(self, pid):
        return object.__new__(stand_in("", ""))


class Joblib(InPython):
    """Reads arrays that follow their wrapper in the stream, as joblib does."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def load_build(self):
        pickle._Unpickler.load_build(self)
        wrapper = self.stack[-1]
        if getattr(type(wrapper), "stands_for", None) != ("joblib.numpy_pickle", "NumpyArrayWrapper"):
            return
        state = wrapper.__dict__.get("state")
        if not isinstance(state, dict):
            return
        kind = str(state["dtype"].args[0])
        if kind.startswith("O"):
            load(lambda f: Joblib(f, encoding="latin1"), self.source, 1)
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.source.read(self.source.read(1)[0])
        count = int(kind[1:])
        for n in state["shape"]:
            count *= n
        self.source.read(max(count, 0))

    dispatch[pickle.BUILD[0]] = load_build

    def __init__(self, file, **options):
        self.source = file
        super().__init__(file, **options)


def nested(data):
    """Follow what torch would unpickle out of bytes in a pickle."""
    if log.depth < 4:
        log.depth += 1
        many(lambda f: InPython(f, encoding="latin1"), io.BytesIO(data))
        log.depth -= 1


def load(unpickler, file, _=0):
    return unpickler(file).load()


def many(unpickler, file):
    """Load pickle after pickle, as torch and joblib do; one that fails ends it."""
    for n in range(STREAMS):
        before = file.tell()
        try:
            load(unpickler, file)
        except EOFError:
            if n:
                return
            raise
        log.loaded |= log.mode
        if file.tell() == before:
            return


class Module:
    """A module whose every attribute stands for a name."""

    def __init__(self, name):
        self.__dict__["name"] = name

    def __getattr__(self, key):
        resolve(key)
        return stand_in(self.name, key)


swapped = {}


def take_place(name, *_):
    resolve(name)
    swapped.setdefault(name, sys.modules.get(name))
    sys.modules[name] = Module(name)


# pickle.loads finds classes by the __import__ of whoever calls it.
there = {"loads": _pickle.loads, "__builtins__": {"__import__": take_place}}
exec("def from_memory(data): return loads(data, encoding='latin1')", there)


def from_memory(data):
    try:
        there["from_memory"](data)
        log.loaded |= log.mode
    finally:
        for name, module in swapped.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        swapped.clear()


def overhear(event, args):
    if event == "pickle.find_class" and log.mode == 8 and all(map(resolvable, args)):
        log.ask(*args)


sys.addaudithook(overhear)


def buffers():
    return iter([b"os", bytearray(b"system"), b""])


# Everybody that loads pickles does it in one of these ways. Encodings other
# than Latin-1 end earlier or give bytes, which name nothing.
MODES = [
    (1, lambda data: many(lambda f: InC(f), io.BufferedReader(io.BytesIO(data)))),
    (2, lambda data: many(lambda f: InC(f, encoding="latin1", buffers=buffers()), io.BytesIO(data))),
    (4, lambda data: many(lambda f: InPython(f, encoding="latin1", buffers=buffers()), io.BytesIO(data))),
    (8, from_memory),
    (16, lambda data: many(lambda f: Joblib(f, encoding="latin1"), io.BytesIO(data))),
]


def unpickle(data):
    for mode, do in MODES:
        if mode == 16 and b"NumpyArrayWrapper" not in data:
            continue
        log.mode = mode
        copyreg._extension_cache.clear()
        try:
            do(data)
        except Exception as e:
            log.error = log.error or type(e).__name__ + ": " + str(e)[:60]


def stream(feed, data):
    """What a decompressor yields before it fails."""
    out = b""
    try:
        for at in range(0, len(data), 64):
            out += feed(data[at : at + 64])
            if len(out) > LIMIT:
                break
    except Exception:
        pass
    return out


def members(archive, names, opened):
    for name in names[:16]:
        try:
            file = opened(name)
            out = b""
            while file is not None and len(out) < LIMIT and (more := file.read(64)):
                out += more
                yield_last[0] = out
        except Exception:
            out = yield_last[0]
        yield out
        yield_last[0] = b""


yield_last = [b""]


def parts(kind, data):
    """The pickles that a program would find in a container."""
    if kind == "r":
        yield data
    elif kind == "g":
        yield stream(zlib.decompressobj(31).decompress, data)
    elif kind == "d":
        yield stream(zlib.decompressobj().decompress, data)
    elif kind == "x":
        yield stream(lzma.LZMADecompressor(memlimit=1 << 28).decompress, data)
    elif kind == "z":
        z = zipfile.ZipFile(io.BytesIO(data))
        yield from members(z, z.namelist(), z.open)
    elif kind == "t":
        t = tarfile.open(fileobj=io.BytesIO(data), mode="r:")
        yield from members(t, t.getmembers(), t.extractfile)
    elif kind == "n":
        length = int.from_bytes(data[8:10] if data[6] == 1 else data[8:12], "little")
        yield data[(10 if data[6] == 1 else 12) + length :]


def judge(kind, data):
    log.clear()
    answer = {}
    if kind == "b":
        answer["packed"] = bz2.compress(data).hex()
        kind = "r"
    try:
        for part in parts(kind, data):
            unpickle(part)
    except Exception as e:
        log.error = log.error or type(e).__name__
    answer["asked"] = [[m, n, mask] for (m, n), mask in list(log.asked.items())[:64]]
    answer["built"] = [list(b) for b in log.built]
    answer["called"], answer["loaded"], answer["error"] = log.called, log.loaded, log.error
    return answer


def out_of_time(*_):
    raise TimeoutError


def main():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, out_of_time)
    with open(sys.argv[1], "rb") as cases:
        while head := cases.read(5):
            data = cases.read(int.from_bytes(head[1:], "little"))
            signal.setitimer(signal.ITIMER_REAL, 5)
            answer = judge(chr(head[0]), data)
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


main()
