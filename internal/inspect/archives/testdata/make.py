"""Makes honest/, files as the libraries write them, and encrypted/.

python -m venv v && v/bin/pip install numpy joblib lz4 zstandard py7zr pillow pyarrow matplotlib sentencepiece protobuf pandas torch
v/bin/python make.py
"""
import bz2, gzip, io, lzma, os, pickle, random, shutil, tarfile, wave, zipfile, zlib
import joblib, numpy, py7zr, zstandard, lz4.frame

os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.makedirs("honest", exist_ok=True)
os.makedirs("encrypted", exist_ok=True)
os.chdir("honest")
random.seed(1)
text = "".join(f"{i},{random.random():.3f}\n" for i in range(60)).encode()


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)


# zip, as Python writes it in each of its ways.
for name, method in [("stored", 0), ("deflate", 8), ("bzip2", 12), ("lzma", 14)]:
    with zipfile.ZipFile(f"{name}.zip", "w", method) as z:
        z.writestr("a/table.csv", text)
        z.writestr("b.txt", "hello")
        z.writestr("größe.txt", "hello")
        z.mkdir("empty")
with zipfile.ZipFile("wide.zip", "w", 8) as z:
    with z.open("a.csv", "w", force_zip64=True) as f:
        f.write(text)
    z.comment = b"a comment"


class Pipe(io.RawIOBase):
    def __init__(self, path): self.f = open(path, "wb")
    def writable(self): return True
    def write(self, b): return self.f.write(b)
    def close(self): self.f.close()


with zipfile.ZipFile(Pipe("piped.zip"), "w", 8) as z:  # descriptors behind the data
    z.writestr("a.csv", text)
    z.writestr("b.csv", text)
put("appended.zip", open("stored.zip", "rb").read())
with zipfile.ZipFile("appended.zip", "a") as z:
    z.writestr("later.txt", "later")
with zipfile.ZipFile("none.zip", "w"):
    pass
numpy.savez("arrays.npz", W=numpy.arange(6.0), w=numpy.arange(3))
numpy.savez_compressed("packed.npz", a=numpy.zeros((50, 50)))

# tar of every dialect, also what GNU tar and NeMo make of a folder.
for name, form in [("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("ustar", tarfile.USTAR_FORMAT)]:
    with tarfile.open(f"{name}.tar", "w", format=form) as t:
        for n in ["a.csv", "long/" + "x" * 90 + "/b.csv"] + ([] if name == "ustar" else ["größe/" + "y" * 150 + ".csv"]):
            i = tarfile.TarInfo(n)
            i.size, i.mtime = len(text), 1_700_000_000.5 if name == "pax" else 1_700_000_000
            t.addfile(i, io.BytesIO(text))
os.makedirs("folder", exist_ok=True)
put("folder/model_config.yaml", b"name: a\n")
put("folder/weights.csv", text)
for name, mode in [("a.nemo", "w:gz"), ("b.nemo", "w")]:
    with tarfile.open(name, mode) as t:
        t.add("folder", arcname=".")

# streams, and joblib's own names for them.
put("a.csv.gz", gzip.compress(text))
put("a.csv.bz2", bz2.compress(text))
put("a.csv.xz", lzma.compress(text))
put("a.csv.lzma", lzma.compress(text, format=lzma.FORMAT_ALONE))
put("a.csv.z", zlib.compress(text))
put("a.csv.zst", zstandard.compress(text))
put("a.csv.lz4", lz4.frame.compress(text))
put("two.csv.gz", gzip.compress(text) + gzip.compress(text))
old = pickle.dumps({"a": [1.5] * 9}, 2)
put("old.joblib", b"ZF" + hex(len(old)).ljust(19).encode() + zlib.compress(old))
for c in ["zlib", "gzip", "bz2", "lzma", "xz", "lz4"]:
    for level in [1, 9]:
        joblib.dump({"a": [1.5] * 9}, f"{c}{level}.joblib", compress=(c, level))

# 7z, as py7zr packs: with its own choice of filters, and others.
for name, filters in [
    ("own", None),
    ("lzma1", [{"id": py7zr.FILTER_LZMA}]),
    ("delta", [{"id": py7zr.FILTER_DELTA, "dist": 2}, {"id": py7zr.FILTER_LZMA2, "preset": 1}]),
    ("deflate7", [{"id": py7zr.FILTER_DEFLATE}]),
    ("bzip27", [{"id": py7zr.FILTER_BZIP2}]),
    ("copy", [{"id": py7zr.FILTER_COPY}]),
    ("zstd7", [{"id": py7zr.FILTER_ZSTD}]),
]:
    with py7zr.SevenZipFile(f"{name}.7z", "w", filters=filters) as z:
        z.writestr(text, "a/table.csv")
        z.writestr(b"", "empty.txt")
        z.writestr(b"hello", "größe.txt")
    put(f"{name}.7z", open(f"{name}.7z", "rb").read())
with py7zr.SevenZipFile("../encrypted/password.7z", "w", password="x") as z:
    z.writestr(text, "a.csv")
with py7zr.SevenZipFile("../encrypted/header.7z", "w", password="x", header_encryption=True) as z:
    z.writestr(text, "a.csv")

# what lies beside models.
from PIL import Image
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as feather, pyarrow.orc as orc
import sentencepiece

image = Image.new("RGB", (9, 7), (1, 200, 3))
for ext in ["png", "jpg", "gif", "bmp", "webp", "tif"]:
    image.save(f"image.{ext}")
image.save("moving.gif", save_all=True, append_images=[Image.new("RGB", (9, 7))])
fig, ax = plt.subplots(figsize=(1, 1))
ax.plot([1, 2])
for ext in ["svg", "pdf", "png"]:
    fig.savefig(f"figure.{ext}")
table = pa.table({"a": list(range(9)), "b": ["x"] * 9})
pq.write_table(table, "table.parquet")
feather.write_feather(table, "table.arrow")
orc.write_table(table, "table.orc")
import pandas
pandas.DataFrame({"a": [1, 2]}).to_html("table.html")
with wave.open("sound.wav", "wb") as w:
    w.setnchannels(1); w.setsampwidth(2); w.setframerate(8000); w.writeframes(b"\0\1" * 99)
put("words.txt", b"the weights of a layer are what it has learnt\n" * 40)
sentencepiece.SentencePieceTrainer.train(input="words.txt", model_prefix="spm", vocab_size=40, hard_vocab_limit=False)
from sentencepiece import sentencepiece_model_pb2 as spm
model = spm.ModelProto.FromString(open("spm.model", "rb").read())
model.normalizer_spec.precompiled_charsmap = b"left out, it is large"
put("spm.model", model.SerializeToString())
os.remove("spm.vocab")
os.remove("words.txt")
shutil.rmtree("folder")
import torch
state = torch.nn.Linear(3, 2).state_dict()
torch.save(state, "torch.pt")


class Adds(torch.nn.Module):
    def forward(self, x):
        return x + torch.ones(2)


torch.jit.script(Adds()).save("script.pt")
put("vocab.txt", "[PAD]\n[UNK]\nthe\n##ing\n\u0091\n한국\n".encode())
put("wide.txt", "größe\n".encode("utf-16"))
put("config.json", b'{"hidden_size": 12, "x": [1, 2.5, null, true]}')
put("metrics.json", b'{"loss": NaN, "best": -Infinity}')
put("README.md", "# A model\n\n<script>is only text here</script>\n".encode())
put("x.md", b"x^2 + y^2 = z^2, and so on; " * 9)
put("empty.txt", b"")
