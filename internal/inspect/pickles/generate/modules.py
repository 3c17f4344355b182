#!/usr/bin/env python3
"""Lists the modules that a Python which loads models can import.

    python3 modules.py >../modules.txt        (Python 3.11)

Only top-level names: Python's own, in all versions that unpickle by the same
opcodes; those of Python 2 that pickle translates; what stands on one of our
lists; and what is installed wherever models are.
"""
import _compat_pickle
import pathlib
import sys

LATER = """_android_support _apple_support _colorize _hmac _interpchannels _interpqueues _interpreters _ios_support _opcode_metadata
_py_warnings _pyrepl _remote_debugging _suggestions _sysconfig _types _zoneinfo _zstd annotationlib compression"""

EARLIER = """__main__ _dummy_threading _xxsubinterpreters binhex dummy_threading formatter macpath macurl2path new osx_support parser popen2
sets symbol test user"""

BESIDE = """IPython PIL _cffi_backend _pytest absl aiohttp cffi cloudpickle cycler cython cytoolz dask dill fastapi filelock flask fsspec
google grpc h5py huggingface_hub httpx idna ipykernel jax jaxlib jedi jinja2 jsonpickle keras llvmlite matplotlib ml_dtypes msgpack nltk
numba numexpr onnx onnxruntime packaging paramiko patsy pexpect pip pkg_resources psutil pyarrow pydantic pytest ray regex requests rich
ruamel safetensors setuptools six skops spacy sympy tensorboard tensorflow threadpoolctl toolz tqdm triton typing_extensions urllib3
websocket werkzeug wheel yaml"""

HEAD = """# The modules that a Python which loads models can import, by generate/modules.py. Text
# that would import one of them if it were a pickle is judged as one, but under the name of text.
"""


def main():
    lists = pathlib.Path(__file__).parent.parent
    found = dict.fromkeys(BESIDE.split(), "library")
    for file in [*lists.glob("globals/*.txt"), *lists.glob("reviewed/*.txt"), lists / "denied.txt"]:
        for line in file.read_text().splitlines():
            if not line.startswith("#"):
                found[line.split()[0].split(".")[0]] = "library"
    found |= dict.fromkeys((m.split(".")[0] for m in _compat_pickle.IMPORT_MAPPING), "python")
    found |= dict.fromkeys((LATER + " " + EARLIER).split(), "python") | dict.fromkeys(sys.stdlib_module_names, "python")
    sys.stdout.write(HEAD + "".join(sorted(f"{name} {of}\n" for name, of in found.items())))


main()
