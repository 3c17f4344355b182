"""Judges bills of materials, package URLs and VEX documents with other
people's implementations.

Standard input: a JSON list of jobs. Standard output: a JSON list with, for
each, {"ok": true, ...} or {"ok": false, "error": text}.
"""

import contextlib
import json
import sys
import tempfile

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from lib4vex.parser import VEXParser
from packageurl import PackageURL
from spdx_tools.spdx.parser.json import json_parser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def on_disk(text):
    file = tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8")
    file.write(text)
    file.flush()
    return file


def cyclonedx(job):
    version = SchemaVersion.from_version(json.loads(job["text"])["specVersion"])
    error = JsonStrictValidator(version).validate_str(job["text"])
    if error:
        raise ValueError(str(error)[:2000])
    bom = Bom.from_json(json.loads(job["text"]))
    bom.validate()
    return {"purls": sorted(c.purl.to_string() for c in bom.components if c.purl)}


def spdx(job):
    with on_disk(job["text"]) as file:
        document = json_parser.parse_from_file(file.name)
    wrong = validate_full_spdx_document(document)
    if wrong:
        raise ValueError("; ".join(m.validation_message for m in wrong)[:2000])
    return {"purls": sorted(r.locator for p in document.packages for r in p.external_references)}


def purl(job):
    p = PackageURL.from_string(job["text"])
    return {
        "parts": [p.type, p.namespace or "", p.name, p.version or "", p.subpath or ""],
        "qualifiers": p.qualifiers,
        "text": p.to_string(),
    }


def vex(job):
    parser = VEXParser(job["kind"])
    with on_disk(job["text"]) as file, contextlib.redirect_stdout(sys.stderr):
        parser.parse(file.name)
    return {"metadata": parser.get_metadata(), "vulnerabilities": parser.get_vulnerabilities()}


def main():
    answers = []
    for job in json.load(sys.stdin):
        try:
            answer = {"ok": True} | globals()[job["do"]](job)
        except Exception as e:
            answer = {"ok": False, "error": f"{type(e).__name__}: {e}"}
        answers.append(answer)
    json.dump(answers, sys.stdout, default=str)


main()
