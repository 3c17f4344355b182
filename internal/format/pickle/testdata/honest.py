"""Writes pickles of random objects, each after its length as 4 bytes."""

import array
import collections
import datetime
import decimal
import fractions
import io
import pickle
import random
import struct
import sys
import uuid

rnd = random.Random(7)
leaves = [
    None, True, False, 0, 1, -1, 255, 256, 65536, 2**31, -2**31, 2**63, 2**200, -2**2100, 0.5, float("inf"), float("nan"),
    "", "a", "é\u20ac\U0001f600", "\ud800", "line\nbreak\\u0041'\"", "x" * 300, "y" * 70000, b"", b"bytes\n\xff", b"z" * 300,
    b"w" * 70000, bytearray(b"ba"), 1j, range(3), slice(1, 2), len, int, OSError("a", 1), collections.OrderedDict(a=1),
    collections.defaultdict(list, a=[1]), collections.deque([1, 2], 5), collections.Counter("aab"), decimal.Decimal("1.5"),
    fractions.Fraction(1, 3), datetime.datetime(2020, 1, 2), uuid.UUID(int=5), array.array("d", [1.0]), Ellipsis, NotImplemented,
]
shared = [1, [2]]


def thing(depth):
    if depth == 0 or rnd.random() < 0.3:
        return rnd.choice(leaves + [shared])
    n = rnd.choice([0, 1, 2, 3, 5, 30])
    kind = rnd.randrange(6)
    if kind == 0:
        return [thing(depth - 1) for _ in range(n)]
    if kind == 1:
        return tuple(thing(depth - 1) for _ in range(n))
    if kind == 2:
        return {rnd.choice(["a", "b", "key", 1, 2.5, None, b"k"]): thing(depth - 1) for _ in range(n)}
    if kind == 3:
        return {rnd.choice(["a", "b", 7, 8, b"k"]) for _ in range(n)}
    if kind == 4:
        return frozenset(range(n))
    loop = [thing(depth - 1)]
    loop.append(loop)
    return loop


out = sys.stdout.buffer
for i in range(int(sys.argv[1])):
    obj = thing(rnd.randrange(5))
    if i == 0:
        obj = [list(range(5000)), ["word%d" % i for i in range(5000)], {i: str(i) for i in range(5000)}]
    for proto in range(6):
        for cls in (pickle.Pickler, pickle._Pickler):
            f = io.BytesIO()
            try:
                cls(f, proto).dump(obj)
            except Exception:
                continue
            out.write(struct.pack("<I", len(f.getvalue())) + f.getvalue())
