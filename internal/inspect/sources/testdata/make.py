"""Makes the programs in this folder with PyTorch, of which only the code is kept:

    pip install torch && python make.py"""

import json, os, shutil, zipfile
from typing import List, Optional
import torch, torch.nn as nn


@torch.jit.script
def helper(x, n: int):
    for i in range(n):
        if bool(x.sum() > 0):
            x = x * 2
    return x


@torch.jit.script
class Counter:
    def __init__(self, n: int):
        self.seen: List[int] = [n]

    def add(self, k: int):
        self.seen.append(k)
        return len(self.seen)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.norm = nn.LSTM(4, 5), nn.BatchNorm1d(4)
        self.parts = nn.ModuleList([nn.Linear(5, 5), nn.GELU()])

    def forward(self, x, add: Optional[torch.Tensor] = None):
        y, _ = self.lstm(self.norm(x))
        for part in self.parts:
            y = part(y)
        k = Counter(3).add(1)
        if add is not None:
            y = y + add
        else:
            assert k > 0, f"bad {k}"
        y = torch.jit.wait(torch.jit.fork(helper, y, 2))
        print("k", k, [float(i) for i in range(3)])
        return helper(y, 2), "%d" % k, torch.device("cpu"), y[..., :2]


class Reads(nn.Module):
    def forward(self, x):
        return x + torch.from_file("/etc/passwd", False, 10, dtype=torch.uint8)


class Writes(nn.Module):
    def forward(self, x, name: str):
        torch.save(x, name)
        return x


class Shapes(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())

    def forward(self, x):
        y = self.net(x)
        return torch.cond(y.sum() > 0, lambda y: y + 1, lambda y: y - 1, (y,)), y.shape[0] * 2


def plain(text):
    """Drops what a program says about the machine that it was made on."""
    def strip(value):
        if isinstance(value, dict):
            return {k: {} if k == "metadata" else strip(v) for k, v in value.items()}
        return [strip(v) for v in value] if isinstance(value, list) else value

    return json.dumps(strip(json.loads(text))).encode()


def keep(name, save):
    """Keeps the code of an archive, and names of what makes it one."""
    save(name + ".tmp")
    shutil.rmtree(name, ignore_errors=True)
    with zipfile.ZipFile(name + ".tmp") as z:
        for member in z.namelist():
            inner = member.split("/", 1)[1] if "/" in member else member
            if inner.endswith((".py", ".json")) or inner == "constants.pkl":
                path = os.path.join(name, inner)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "wb").write(plain(z.read(member)) if inner.endswith(".json") else z.read(member))
    os.remove(name + ".tmp")


for name, model in {"net": Net(), "reads": Reads(), "writes": Writes()}.items():
    keep(name, torch.jit.script(model).save)
dynamic = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4)), {nn.Linear})
keep("quantized", torch.jit.script(dynamic).save)
batch = torch.export.Dim("batch", min=2, max=64)
program = torch.export.export(Shapes().eval(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes={"x": {0: batch}})
keep("exported", lambda name: torch.export.save(program, name))
