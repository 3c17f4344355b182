"""Evaluates OSV records kept as YAML, one at a time, straight from the schema's
pseudo code, with the reference implementation of PEP 440. It knows nothing of
the database: no intervals, no groups, no index.

usage: oracle.py FOLDER SEED COUNT: random vulnerable versions in every spelling
"""
import functools, glob, json, random, re, sys
import yaml
from packaging.version import InvalidVersion, Version


@functools.cache
def version(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def load(folder):
    records = {}
    for path in sorted(glob.glob(folder + "/**/*.yaml", recursive=True)):
        with open(path, encoding="utf-8") as f:
            # The base loader leaves every scalar the text that it is.
            record = yaml.load(f, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        if "withdrawn" in record:
            continue
        for entry in record["affected"]:
            if entry["package"]["ecosystem"] != "PyPI":
                continue
            name = re.sub(r"[-_.]+", "-", entry["package"]["name"]).lower()
            records.setdefault(name, []).append((record["id"], entry))
    return records


def in_range(v, events):
    """IncludedInRanges of the schema, with its events sorted by version."""
    lowest = version("0.dev0")
    turns = []
    for event in events:
        for kind, text in event.items():
            at = lowest if kind == "introduced" and text == "0" else version(text)
            turns.append((at, kind))
    # Where one part ends as another begins, the end comes first.
    order = {"fixed": 0, "introduced": 1, "last_affected": 2}
    vulnerable = False
    for at, kind in sorted(turns, key=lambda t: (t[0], order[t[1]])):
        if kind == "introduced" and v >= at:
            vulnerable = True
        elif kind == "fixed" and v >= at:
            vulnerable = False
        elif kind == "last_affected" and v > at:
            vulnerable = False
    return vulnerable


def listed(v, entry):
    if "parsed" not in entry:
        entry["parsed"] = {version(text) for text in entry.get("versions", [])} - {None}
    return v in entry["parsed"]


def judge(v, entry):
    """"yes", "assumed", "no", or "unknown" if the entry cannot be evaluated."""
    public = version(v.public)
    local = "yes" if v.local is None else "assumed"
    if listed(v, entry):
        return "yes"
    if listed(public, entry):
        return local
    unknown, said = False, bool(entry.get("versions"))
    for r in entry.get("ranges", []):
        if r["type"] == "GIT":
            continue
        said = True
        if any(version(text) is None for event in r["events"] for text in event.values()):
            unknown = True
        elif in_range(v, r["events"]) or in_range(public, r["events"]):
            return local
    return "unknown" if unknown or not said else "no"


def fixes(v, entry):
    ends = {version(e["fixed"]) for r in entry.get("ranges", []) if r["type"] != "GIT"
            for e in r["events"] if "fixed" in e and version(e["fixed"]) is not None}
    return [str(f) for f in sorted(ends) if f > v and judge(f, entry) in ("no", "unknown")]


def spellings(text):
    v = version(text)
    if v is None:
        return
    canonical = str(v)
    yield "canonical", canonical
    yield "as it was written", text
    if v.local is None:
        yield "local", canonical + "+cu118"
        yield "local, other letters", canonical + "+CPU-cxx11_abi"
    release = ".".join(map(str, v.release))
    epoch, rest = (canonical.split("!") + [None])[:2] if v.epoch else ("0", canonical)
    rest = rest[len(release):]
    yield "trailing zero", f"{epoch}!{release}.0{rest}" if v.epoch else f"{release}.0{rest}"
    yield "three trailing zeros", f"{epoch}!{release}.0.0.0{rest}"
    yield "epoch", f"{epoch}!{release}{rest}"
    yield "v", "v" + canonical
    yield "leading zeros", re.sub(r"(?<![0-9a-zA-Z])(?=[0-9])", "0", release) + rest if not v.epoch else canonical
    yield "capitals", "V" + canonical.upper()
    yield "underscores", canonical.replace(".post", "_post_").replace("rc", "_rc_").replace(".dev", "_dev_")
    yield "dashes", canonical.replace(".post", "-") if v.post is not None else canonical.replace("rc", "-c-").replace("a", "-alpha.").replace("b", "-beta.") if v.local is None else canonical
    for other in (f"{release}.post1", f"{release}.dev1", f"{release}rc1", f"{release}a0.dev0", f"{release}.1"):
        yield "neighbour", other if not v.epoch else f"{v.epoch}!{other}"


def main():
    folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    records, draw = load(folder), random.Random(seed)
    pairs = sorted({(name, v) for name, all in records.items() for _, entry in all for v in entry.get("versions", [])})
    for name, text in draw.sample(pairs, min(count, len(pairs))):
        for how, spelt in spellings(text):
            v = version(spelt)
            if v is None:
                raise SystemExit(f"{how}: {spelt} is no version")
            hits = {}
            for id, entry in records[name]:
                verdict = judge(v, entry)
                if verdict != "no":
                    hits[id] = {"verdict": verdict, "fixed": fixes(v, entry)}
            print(json.dumps({"name": draw.choice([name, name.upper(), name.replace("-", "_"), name.replace("-", "..")]),
                              "version": spelt, "how": how, "hits": hits}))


main()
