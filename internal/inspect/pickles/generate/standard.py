#!/usr/bin/env python3
"""Adds to ../standard.txt what the standard library of this Python has to call
in the modules that ../denied.txt lists as a whole, and in some below them.

    for v in 3.8 3.9 3.10 3.11 3.12 3.13; do python$v standard.py; done

A line is a module and its names. Modules that do something when they are
imported are left out.
"""
import importlib
import pathlib
import warnings

HERE = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# What Python's standard library has to call in modules that denied.txt lists as a whole, by module.
# versions: Python 3.8 to 3.13; made by generate/standard.py
# reason: a name that a library has given is nobody's; one that a file has made up may be anybody's, and is not told to everybody
"""
BUSY = {"_testcapi", "antigravity", "idlelib", "lib2to3", "msvcrt", "test", "this", "turtledemo", "venv", "winreg"}
WINDOWS = {"nt": "startfile", "_winapi": "CreateProcess"}

warnings.simplefilter("ignore")


def denied():
    for line in (HERE / "denied.txt").read_text().splitlines():
        if not line.startswith("#"):
            module, name, _ = line.split(" ", 2)
            if name == "*" and module.split(".")[0] not in BUSY:
                yield module
    yield from ("builtins", "http.client", "posixpath", "types", "urllib.request", "xmlrpc.client")


def callables(module):
    try:
        m = importlib.import_module(module)
    except Exception:
        return set()
    where = getattr(m, "__file__", None) or ""
    if "site-packages" in where or "dist-packages" in where:
        return set()
    return {n for n in dir(m) if not n.startswith("_") and n.isascii() and callable(getattr(m, n, None))}


target = HERE / "standard.txt"
known = {}
if target.exists():
    for line in target.read_text().splitlines():
        if not line.startswith("#"):
            module, *names = line.split()
            known[module] = set(names)
for module in denied():
    known.setdefault(module, set()).update(callables(module))
for module, extra in WINDOWS.items():
    known.setdefault(module, set()).update(extra.split())
known["nt"] |= known.get("posix", set())
target.write_text(HEAD + "".join(line + "\n" for line in sorted(m + " " + " ".join(sorted(ns)) for m, ns in known.items() if ns)))
