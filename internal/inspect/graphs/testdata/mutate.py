"""mutate.py FOLDER: changes the models in honest/onnx at random, each in one
place, and writes those that onnx.checker refuses into FOLDER, with the reason
beside each."""

import os
import random
import sys

import onnx
from google.protobuf.message import DecodeError

HONEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "honest", "onnx")
# What only the signature of each version of each operator tells, and that shapes
# of inputs are not said, as honest exporters do it.
SIGNATURES = ("input size", "output size", "Unrecognized attribute", "Required attribute", "deprecated", "No Op registered", "Mismatched attribute type",
              "marked single", "not compatible with the version", "Field 'shape' of 'type'", "is expected to have field")


def messages(m):
    yield m
    for field, value in m.ListFields():
        if field.message_type is not None:
            for v in value if field.is_repeated else [value]:
                yield from messages(v)


def change(model, rnd):
    """One change at a random place."""
    m = rnd.choice([m for m in messages(model) if m.ListFields()])
    field, value = rnd.choice(m.ListFields())
    if field.is_repeated:
        i = rnd.randrange(len(value))
        if rnd.random() < 0.3:
            del value[i]
        elif field.message_type is not None:
            value.add().CopyFrom(value[i])
        else:
            value[i] = other(value[i], rnd)
    elif field.message_type is not None or rnd.random() < 0.3:
        m.ClearField(field.name)
    else:
        setattr(m, field.name, other(value, rnd))


def other(v, rnd):
    if isinstance(v, (bool, float)):
        return v
    if isinstance(v, int):
        return rnd.choice([0, 1, 2, 7, 99, -1, v + 1, v * 2])
    return v[:-1] if rnd.random() < 0.5 else v * 2


rnd = random.Random(1)
names = sorted(n for n in os.listdir(HONEST) if n.endswith(".onnx") and n not in ("types.onnx", "external.onnx"))
kept = 0
for turn in range(3000):
    model = onnx.load(os.path.join(HONEST, rnd.choice(names)))
    try:
        change(model, rnd)
        b = model.SerializeToString()
    except (ValueError, TypeError):
        continue
    try:
        onnx.checker.check_model(b)
    except (onnx.checker.ValidationError, DecodeError) as e:
        why = str(e).replace("\n", " ")
        if any(s in why for s in SIGNATURES):
            continue
        path = os.path.join(sys.argv[1], f"{turn}.onnx")
        with open(path, "wb") as f:
            f.write(b)
        with open(path + ".why", "w") as f:
            f.write(why)
        kept += 1
print(kept)
