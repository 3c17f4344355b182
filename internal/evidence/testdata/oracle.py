"""Answers jobs with other people's implementations of the formats.

Standard input: a JSON list of jobs. Standard output: a JSON list with, for
each, {"ok": true, ...} or {"ok": false, "error": text}.
"""

import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement as intoto
from in_toto_attestation.v1 import statement_pb2
from model_signing import hashing, signing, verifying
from model_signing._signing import sign_sigstore_pb
from securesystemslib import dsse
from securesystemslib.signer import SSlibKey


def sign(job):
    config = hashing.Config()
    if job["method"] == "shards":
        config.use_shard_serialization(hashing_algorithm=job["hash"], shard_size=job["size"])
    else:
        config.use_file_serialization(hashing_algorithm=job["hash"])
    config.set_ignored_paths(paths=["model.sig"])
    signer = signing.Config()
    if "certificate" in job:
        signer.use_certificate_signer(
            private_key=job["key"],
            signing_certificate=job["certificate"],
            certificate_chain=job["chain"],
        )
    else:
        signer.use_elliptic_key_signer(private_key=job["key"])
    signer.set_hashing_config(config).sign(pathlib.Path(job["model"]), pathlib.Path(job["signature"]))
    return {}


def verify(job):
    config = verifying.Config().use_elliptic_key_verifier(public_key=job["key"])
    config.verify(pathlib.Path(job["model"]), pathlib.Path(job["signature"]))
    return {}


def envelope(job):
    read = dsse.Envelope.from_dict(json.loads(pathlib.Path(job["envelope"]).read_text()))
    keys = []
    for name in job["keys"]:
        pem = pathlib.Path(name).read_bytes()
        key = SSlibKey.from_crypto(load_pem_public_key(pem))
        for keyid, signature in read.signatures.items():
            # The library takes the key ID for more than a hint, so it has to
            # be the one under which the envelope names the key.
            if keyid == job["ids"][name]:
                key.keyid = keyid
        keys.append(key)
    accepted = read.verify(keys, job["threshold"])
    return {"accepted": sorted(accepted), "payload": read.payload.decode()}


def read_statement(text):
    read = json_format.Parse(text, statement_pb2.Statement())
    intoto.Statement.copy_from_pb(read).validate()
    return read, json.loads(text)["predicate"]


def statement(job):
    """Any statement, whatever its predicate."""
    read, predicate = read_statement(job["payload"])
    if json_format.MessageToDict(read.predicate) != predicate:
        raise ValueError("the predicate is read as something else")
    return {"type": read.predicate_type, "subjects": {s.name: s.digest["sha256"] for s in read.subject}}


def provenance(job):
    read, predicate = read_statement(job["payload"])
    provenance = json_format.ParseDict(predicate, provenance_pb2.Provenance())
    return {
        "subjects": [s.name for s in read.subject],
        "invocation": provenance.run_details.metadata.invocation_id,
        "dependencies": [d.name for d in provenance.build_definition.resolved_dependencies],
        "started": provenance.run_details.metadata.started_on.ToJsonString(),
    }


def test_result(job):
    """A test result, and which fields of it the type does not know."""
    _, predicate = read_statement(job["payload"])
    result = json_format.ParseDict(predicate, test_result_pb2.TestResult(), ignore_unknown_fields=True)
    known = {f.json_name for f in result.DESCRIPTOR.fields}
    return {
        "result": result.result,
        "configuration": [c.uri for c in result.configuration],
        "passed": list(result.passed_tests),
        "failed": list(result.failed_tests),
        "own": sorted(predicate.keys() - known),
    }


def legacy(job):
    return {"encoding": sign_sigstore_pb.pae_compat(bytes.fromhex(job["payload"])).hex()}


def answer(job):
    try:
        return {"ok": True} | globals()[job["do"]](job)
    except Exception as e:  # the verdict of somebody else's code is data here
        return {"ok": False, "error": f"{type(e).__name__}: {e}"}


json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)
