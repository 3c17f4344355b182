"""Makes the corpus of real requirement files, with what other people's readers
say that each asks for: python3 corpus.py FOLDER... (of unpacked projects, or of
their source distributions). It needs pip and Python 3.11.

corpus.txtar holds the files, corpus.json for each a list of [line, name or text].
"""

import configparser
import json
import pathlib
import re
import sys
import tarfile
import tempfile
import tomllib

from pip._internal.network.session import PipSession
from pip._internal.req.req_file import RequirementsFileParser, get_line_parser

MOST = 6000  # bytes of a file: longer ones are kept out, so that the corpus stays small


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def name(requirement):
    return normal(re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)?", requirement)[1] or "")


def requirements(path):
    """Lines as pip parses them, of this file alone."""
    parser = RequirementsFileParser(PipSession(), get_line_parser(None))
    out = []
    for line in parser._parse_file(str(path), False):
        opts = line.opts
        if getattr(opts, "requirements", None) or getattr(opts, "constraints", None):
            out.append([line.lineno, "@include"])
        elif line.is_requirement:
            out.append([line.lineno, line.requirement])
        else:
            out.append([line.lineno, "@option"])
    return out


def pyproject(path):
    root = tomllib.loads(path.read_text())
    project, tool = root.get("project", {}), root.get("tool", {})
    out = list(root.get("build-system", {}).get("requires", []))
    out += project.get("dependencies", [])
    for extra in project.get("optional-dependencies", {}).values():
        out += [r for r in extra if name(r) != normal(project.get("name", ""))]
    for group in root.get("dependency-groups", {}).values():
        out += [r for r in group if isinstance(r, str) and name(r) != normal(project.get("name", ""))]
    poetry = tool.get("poetry", {})
    for table in [poetry, *poetry.get("group", {}).values()]:
        for key in ("dependencies", "dev-dependencies"):
            out += [n for n in table.get(key, {}) if n != "python"]
    out += tool.get("uv", {}).get("dev-dependencies", [])
    for group in tool.get("pdm", {}).get("dev-dependencies", {}).values():
        out += group
    return [[0, name(r)] for r in out if name(r)]


def setupcfg(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(path.read_text())
    out = []
    values = [parser.get("options", key, fallback="") for key in ("install_requires", "setup_requires", "tests_require")]
    if parser.has_section("options.extras_require"):
        values += [value for _, value in parser.items("options.extras_require")]
    for value in values:
        if value.strip().startswith("file:"):
            continue
        for line in value.splitlines() if "\n" in value else value.split(";"):
            if line.strip() and not line.strip().startswith("#"):
                out.append([0, name(line)])
    return [r for r in out if r[1]]


def reader(path):
    if path.name == "pyproject.toml":
        return pyproject
    if path.name == "setup.cfg":
        return setupcfg
    if re.search(r"(requirements|constraints)[^/]*\.(txt|in)$", "/".join(path.parts[-2:])):
        return requirements
    return None


def collect(folder, label, into):
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not reader(path) or not 0 < path.stat().st_size <= MOST:
            continue
        text = path.read_bytes()
        if text in into["seen"] or b"\n-- " in text:
            continue
        try:
            text.decode()
            answer = reader(path)(path)
        except Exception as e:
            print("left out:", label, path.name, type(e).__name__, file=sys.stderr)
            continue
        if not answer:
            continue
        into["seen"].add(text)
        into["files"][label + "/" + str(path.relative_to(folder))] = (text.decode(), answer)


def main(folders):
    into = {"seen": set(), "files": {}}
    for folder in map(pathlib.Path, folders):
        archives = sorted(folder.glob("*.tar.gz"))
        for archive in archives:
            with tempfile.TemporaryDirectory() as scratch, tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
                collect(pathlib.Path(scratch), archive.name.removesuffix(".tar.gz"), into)
        if not archives:
            collect(folder, folder.name, into)
    here = pathlib.Path(__file__).parent
    with open(here / "corpus.txtar", "w", newline="") as out:
        for label, (text, _) in sorted(into["files"].items()):
            out.write(f"-- {label} --\n{text}" + ("" if text.endswith("\n") else "\n"))
    answers = {label: answer for label, (_, answer) in sorted(into["files"].items())}
    (here / "corpus.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in answers.items()) + "\n}\n")
    print(len(answers), "files,", sum(map(len, answers.values())), "lines")


main(sys.argv[1:])
