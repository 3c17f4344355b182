"""Loads pickle streams with CPython's unpicklers and says what they asked for.

Reads streams from standard input, each after its length as 4 bytes, and writes
a line of JSON for each: for each unpickler the names that it asked for, the
persistent identities, and where it stopped, or null if it failed.

Nothing is imported and nothing of the streams is called: names stand for Dummy.
"""

import copyreg
import io
import itertools
import json
import pickle
import pickletools
import resource
import struct
import sys
import warnings

import _pickle

warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.setrecursionlimit(500)
for code in (1, 2, 3, 255, 256, 257, 65535, 65536):
    copyreg.add_extension("ext", "e%d" % code, code)


class Any:
    def nothing(self, *args, **kwargs):
        return None

    append = extend = add = update = __setitem__ = __setstate__ = nothing

    def __call__(self, *args, **kwargs):
        return Dummy()


class Meta(Any, type):
    def __call__(cls, *args, **kwargs):
        return object.__new__(cls)


class Dummy(Any, metaclass=Meta):
    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)


class Peekable(io.BytesIO):
    def peek(self, n):
        return self.getvalue()[self.tell():]


class Hooks:
    def find_class(self, module, name):
        self.asked.append([module, name])
        return Dummy

    def persistent_load(self, pid):
        self.ids.append(pid if isinstance(pid, str) else None)
        return pid if isinstance(pid, str) else Dummy()


class C(Hooks, _pickle.Unpickler):
    pass


class Py(Hooks, pickle._Unpickler):
    pass


def load(cls, file, encoding):
    u = cls(file, encoding=encoding, buffers=itertools.repeat(b"buffer"))
    u.asked, u.ids = [], []
    end = None
    copyreg._extension_cache.clear()
    try:
        u.load()
        end = file.tell()
    except RecursionError:
        pass
    except Exception:
        pass
    text = lambda s: s.encode("utf-8", "surrogatepass").decode("latin-1")
    return {"asked": [[text(m), text(n)] for m, n in u.asked],
            "ids": [text(i) for i in u.ids if i is not None], "end": end}


def disassembled(data):
    end = None
    try:
        for op, _, pos in pickletools.genops(data):
            if op.code == ".":
                end = pos + 1
    except Exception:
        pass
    return {"asked": [], "ids": [], "end": end}


while True:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        break
    data = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
    said = {
        "C": load(C, io.BytesIO(data), "ASCII"),
        "C peek": load(C, Peekable(data), "ASCII"),
        "Python": load(Py, io.BytesIO(data), "ASCII"),
        "genops": disassembled(data),
    }
    if any(op in data for op in b"STU"):  # text of Python 2
        said["C latin1"] = load(C, io.BytesIO(data), "latin1")
        said["C bytes"] = load(C, io.BytesIO(data), "bytes")
        said["Python latin1"] = load(Py, io.BytesIO(data), "latin1")
    print(json.dumps(said), flush=True)
