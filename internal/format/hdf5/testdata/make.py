"""Writes the files that the tests read, and beside each what h5py sees in it.

    pip install h5py==3.16.0 numpy && python make.py

A listing has the number of objects, their kinds, and each attribute and each link
that is not hard; without paths, since an object may have several:

    object KIND
    attribute KIND NAME COUNT [VALUE as hex, of strings]
    link NAME soft|external FILE TARGET
"""
import gzip
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def listing(f):
    lines, seen = set(), set()

    def attributes(path, obj):
        for name in obj.attrs:
            aid = obj.attrs.get_id(name)
            space = aid.get_space()
            count = 0 if space.get_simple_extent_type() == h5py.h5s.NULL else space.get_simple_extent_npoints()
            line = f"attribute {path} {name} {count}"
            tid = aid.get_type()
            if tid.get_class() == h5py.h5t.STRING:
                value = obj.attrs[name]
                for v in np.ravel(value) if not isinstance(value, (str, bytes)) else [value]:
                    raw = v.encode() if isinstance(v, str) else bytes(v)
                    raw = raw.rstrip(b"\0")
                    if raw:
                        line += " " + raw.hex()
            lines.add(line)

    def walk(path, obj):
        at = h5py.h5o.get_info(obj.id).addr
        if at in seen:
            return
        seen.add(at)
        kind = {h5py.Group: "group", h5py.File: "group", h5py.Dataset: "dataset", h5py.Datatype: "datatype"}[type(obj)]
        lines.add(f"object {kind}")
        attributes(kind, obj)
        if kind != "group":
            return
        for name in obj:
            inner = path.rstrip("/") + "/" + name
            link = obj.get(name, getlink=True)
            if isinstance(link, h5py.SoftLink):
                lines.add(f"link {name} soft  {link.path}")
            elif isinstance(link, h5py.ExternalLink):
                lines.add(f"link {name} external {link.filename} {link.path}")
            else:
                walk(inner, obj[name])

    walk("/", f)
    return sorted(lines), len(seen)


def save(name, fill, before=b"", **options):
    path = os.path.join("/tmp", name + ".h5")
    with h5py.File(path, "w", **options) as f:
        fill(f)
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(before + data)
    with h5py.File(path, "r") as f:
        lines, objects = listing(f)
    with open(path, "rb") as f:
        data = f.read()
    os.remove(path)
    text = f"objects {objects}\n" + "\n".join(lines) + "\n"
    for extension, content in (".h5.gz", data), (".txt.gz", text.encode()):
        with open(os.path.join(here, name + extension), "wb") as out:
            with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as z:
                z.write(content)


def ordinary(f):
    g = f.create_group("layers/dense/vars")
    d = g.create_dataset("0", data=np.zeros((3, 4), "f4"))
    g.create_dataset("1", data=np.arange(600).reshape(20, 30), chunks=(7, 11), compression="gzip", shuffle=True, fletcher32=True)
    g.create_dataset("lzf", data=np.arange(600), compression="lzf")
    g.create_dataset("text", data=["a", "bc"])
    g.create_dataset("growing", data=np.arange(5), maxshape=(None,))
    g.create_dataset("empty", data=h5py.Empty("f4"))
    f.attrs["config"] = '{"class_name": "Sequential", "π": 1}' * 30
    f.attrs["bytes"] = np.bytes_(b"fixed text")
    f.attrs["fixed"] = np.array([b"one", b"three"])
    f.attrs["names"] = ["a", "", "longer than the others"]
    f.attrs["number"] = 1.5
    f.attrs["many"] = np.arange(100)
    f.attrs["nothing"] = h5py.Empty("i4")
    f.attrs["pairs"] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    f.attrs["sequence"] = np.array([1, 2], "u1")
    f.attrs["refers"] = d.ref
    f["again"] = d
    f["circle"] = f["/"]
    f["layers/soft"] = h5py.SoftLink("/layers/dense")
    f["layers/out"] = h5py.ExternalLink("../other.h5", "/secret")
    f["type"] = np.dtype("S10")
    f.create_dataset("typed", data=np.array([b"x"], "S10"), dtype=f["type"])


def typed(f):
    f["type"] = h5py.string_dtype()
    f.attrs.create("shared", "by name", dtype=f["type"])
    ordinary(f.create_group("inner"))


def dense(f):
    g = f.create_group("many")
    for i in range(400):
        g.create_group(f"group_{i:05d}") if i % 3 else g.__setitem__(f"soft_{i:05d}", h5py.SoftLink(f"/there/{i}"))
    for i in range(60):
        f.attrs[f"attribute_{i}"] = f"value {i}"
    f.attrs["tiny"] = 1
    f.attrs["large"] = np.arange(4000)
    f.attrs["string"] = np.bytes_(b"z" * 6000)


def ordered(f):
    f = f.create_group("ordered", track_order=True)
    dense(f)


def deep(f):
    for i in range(3000):
        f[f"a_rather_long_name_of_a_link_that_fills_blocks_{i:06d}"] = h5py.SoftLink("/x")


def outside(f):
    f.create_dataset("external", (10,), "i4", external=[("/etc/passwd", 0, 20), ("b.bin", 5, h5py.h5f.UNLIMITED)])
    layout = h5py.VirtualLayout(shape=(4, 10), dtype="i4")
    layout[0] = h5py.VirtualSource("/data/other.h5", "d", shape=(10,))
    f.create_virtual_dataset("virtual", layout)


def texts(f):
    words = ["one", "two", "three", "", "four", "five"]
    f.create_dataset("chunked", data=words, chunks=(4,), maxshape=(None,), dtype=h5py.string_dtype())
    f.create_dataset("compressed", data=words, chunks=(4,), compression="gzip", dtype=h5py.string_dtype())
    f.create_dataset("never", (10,), chunks=(4,), dtype=h5py.string_dtype())
    f.create_dataset("numbers", data=np.arange(9), chunks=(4,))


save("texts", texts)
for libver in ["earliest", "v108", "latest"]:
    save(f"ordinary-{libver}", ordinary, libver=libver)
    save(f"typed-{libver}", typed, libver=libver)
for libver in ["earliest", "latest"]:
    save(f"dense-{libver}", dense, libver=libver)
    save(f"ordered-{libver}", ordered, libver=libver)
save("deep-earliest", deep, libver="earliest")
save("deep-latest", deep, libver="latest")
save("outside-earliest", outside)
save("outside-latest", outside, libver="latest")
save("userblock", ordinary, userblock_size=2048)
save("paged", ordinary, fs_strategy="page", libver="latest")
save("core", ordinary, driver="core")
save("moved", ordinary, before=b"\0" * 1024)
