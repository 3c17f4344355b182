"""Verifies an exported ledger with Python's standard library alone.

Written from the specifications, not from the code under test: signed-note,
tlog-checkpoint, tlog-tiles and tlog-proof of c2sp.org, RFC 6962 for the tree,
RFC 8032 for Ed25519.
"""
import base64
import hashlib
import json
import os
import struct
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    """Adds points in extended coordinates (RFC 8032 section 5.1.4)."""
    A = (a[1] - a[0]) * (b[1] - b[0]) % P
    B = (a[1] + a[0]) * (b[1] + b[0]) % P
    C = 2 * a[3] * b[3] * D % P
    E, F, G, H = B - A, 2 * a[2] * b[2] - C, 2 * a[2] * b[2] + C, B + A
    return (E * F % P, G * H % P, F * G % P, E * H % P)


def times(n, point):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, point)
        point = add(point, point)
        n >>= 1
    return total


def recover(y, sign):
    """The point with this y (RFC 8032 section 5.1.3)."""
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - x2) % P == 0, "not a point of the curve"
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def decode(b):
    n = int.from_bytes(b, "little")
    return recover(n & (1 << 255) - 1, n >> 255)


BASE = recover(4 * pow(5, -1, P) % P, 0)


def ed25519(public, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(decode(r), times(k, decode(public)))
    same = lambda i: (left[i] * right[2] - right[i] * left[2]) % P == 0
    return s < L and same(0) and same(1)


def open_checkpoint(note, vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    assert key[0] == 1 and len(key) == 33, "not an Ed25519 key"
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id, "key ID"
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    good = False
    for line in signatures.splitlines():
        dash, who, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash == "\u2014" and who == name and signature[:4].hex() == key_id:
            good = ed25519(key[1:], text.encode(), signature[4:])
    assert good, "signature of the checkpoint"
    origin, size, root = text.splitlines()
    assert origin == name, "origin"
    return origin, int(size), base64.b64decode(root, validate=True)


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_hash(hashes):
    """MTH of RFC 6962 section 2.1, of leaves that are hashed already."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(tree_hash(hashes[:k]), tree_hash(hashes[k:]))


def audit_root(index, size, leaf, path):
    """The root that an audit path leads to (RFC 9162 section 2.1.3.2)."""
    at, last, h = index, size - 1, leaf
    for p in path:
        assert last > 0, "proof too long"
        if at & 1 or at == last:
            h = node_hash(p, h)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            h = node_hash(h, p)
        at, last = at >> 1, last >> 1
    assert last == 0, "proof too short"
    return h


def tile_path(level, n, width):
    parts = ["%03d" % (n % 1000)]
    while n >= 1000:
        n //= 1000
        parts.insert(0, "x%03d" % (n % 1000))
    return os.path.join("tile", level, *parts) + (".p/%d" % width if width else "")


def main(folder):
    def read(name):
        with open(os.path.join(folder, name), "rb") as f:
            return f.read()

    seen = {"checkpoint", "vkey", "entries.jsonl", "x.tlog-proof", "x.leaf"}

    def tiles(level, count):
        for n in range((count + 255) // 256):
            path = tile_path(level, n, min(256, count - 256 * n) % 256)
            seen.add(path)
            yield read(path)

    vkey = read("vkey").decode().strip()
    origin, size, root = open_checkpoint(read("checkpoint").decode(), vkey)

    leaves = []
    for bundle in tiles("entries", size):
        while bundle:
            length, = struct.unpack(">H", bundle[:2])
            leaves.append(bundle[2:2 + length])
            assert len(leaves[-1]) == length, "cut bundle"
            bundle = bundle[2 + length:]
    assert len(leaves) == size, "number of entries"
    assert read("entries.jsonl") == b"".join(leaf + b"\n" for leaf in leaves), "entries.jsonl"
    for n, leaf in enumerate(leaves):
        assert json.loads(leaf)["n"] == n, "number in the entry"

    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert tree_hash(hashes) == root, "root"
    level, nodes = 0, hashes
    while nodes:
        assert b"".join(tiles(str(level), len(nodes))) == b"".join(nodes), "tiles of level %d" % level
        full = len(nodes) // 256
        nodes = [tree_hash(nodes[256 * i:256 * i + 256]) for i in range(full)]
        level += 1

    found = set()
    for where, _, files in os.walk(folder):
        found |= {os.path.relpath(os.path.join(where, f), folder) for f in files}
    assert found == seen, "files that nobody asks for: %s" % (found ^ seen)

    head, checkpoint = read("x.tlog-proof").decode().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index "), "form of the proof"
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    _, size, root = open_checkpoint(checkpoint, vkey)
    assert audit_root(int(lines[1][6:]), size, leaf_hash(read("x.leaf")), path) == root, "proof"
    print("ok: %d entries of %s" % (len(leaves), origin))


main(sys.argv[1])
