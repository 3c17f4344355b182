"""Says what packaging, the reference implementation, makes of versions,
specifiers, requirements and markers: JSON in, JSON out."""

import json
import sys

from packaging.markers import InvalidMarker, Marker, UndefinedComparison
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def version(text):
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def order(pair):
    a, b = Version(pair[0]), Version(pair[1])
    return (a > b) - (a < b)


def contains(pair):
    try:
        return SpecifierSet(pair[0]).contains(pair[1], prereleases=True)
    except InvalidSpecifier:
        return None


def requirement(text):
    try:
        r = Requirement(text)
    except InvalidRequirement:
        return None
    return {
        "name": canonicalize_name(r.name),
        "extras": sorted({canonicalize_name(e) for e in r.extras}),
        "url": r.url or "",
        "clauses": sorted(str(s).replace(" ", "") for s in r.specifier),
        "marked": r.marker is not None,
    }


def marker(job):
    text, values = job
    try:
        m = Marker(text)
    except InvalidMarker:
        return None
    try:
        return m.evaluate(dict(values, extra=""))
    except UndefinedComparison:
        return "undefined"
    except KeyError:
        return "unset"


kinds = {"version": version, "order": order, "contains": contains, "requirement": requirement, "marker": marker}
json.dump([[kinds[kind](x) for x in jobs] for kind, jobs in json.load(sys.stdin)], sys.stdout)
