"""Has other scanners judge files as their commands would, all in one process.

python peers.py VERSIONS             what is installed, one "name version" a line
python peers.py NAME FILE_OF_PATHS   a line for each path: 1 blocked, 0 passed
"""

import importlib.metadata
import logging
import os
import sys

os.environ.update(DO_NOT_TRACK="1", PROMPTFOO_DISABLE_TELEMETRY="1", NO_ANALYTICS="1", MODELAUDIT_CACHE_ENABLED="false")
logging.disable(logging.CRITICAL)


def picklescan(strict=False):
    from picklescan.scanner import scan_file_path

    def judge(path):
        r = scan_file_path(path, strict=strict)
        return r.issues_count > 0 or r.scan_err

    return judge


def modelscan():
    from modelscan.modelscan import ModelScan
    from modelscan.settings import DEFAULT_SETTINGS

    scanner = ModelScan(settings=DEFAULT_SETTINGS)

    def judge(path):
        scanner._init_scan() if hasattr(scanner, "_init_scan") else None
        r = scanner.scan(path)
        return r["summary"]["total_issues"] > 0 or len(r["errors"]) > 0

    return judge


def fickling():
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    def judge(path):
        with open(path, "rb") as f:
            return any(check_safety(p).severity > Severity.LIKELY_SAFE for p in StackedPickle.load(f, fail_on_decode_error=False))

    return judge


def modelaudit():
    from modelaudit.core import determine_exit_code, scan_model_directory_or_file

    return lambda path: determine_exit_code(scan_model_directory_or_file(path, cache_enabled=False)) != 0


tools = {"picklescan": picklescan, "picklescan --strict": lambda: picklescan(True), "modelscan": modelscan, "fickling": fickling, "modelaudit": modelaudit}


def main():
    if sys.argv[1] == "VERSIONS":
        for name in tools:
            try:
                print(name, importlib.metadata.version(name.split()[0]))
            except importlib.metadata.PackageNotFoundError:
                pass
        return
    out, sys.stdout = sys.stdout, open(os.devnull, "w")
    judge = tools[sys.argv[1]]()
    with open(sys.argv[2]) as paths:
        for path in paths.read().splitlines():
            try:
                blocked = bool(judge(path))
            except Exception:
                blocked = True  # the command ends with an error, and nobody takes that for a pass
            out.write("%d\n" % blocked)
            out.flush()


main()
