"""Say for each template, a JSON string on a line of its own, whether Jinja2 parses it."""
import json
import sys

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2 import nodes


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body)


env = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, Generation])
for line in sys.stdin:
    try:
        env.parse(json.loads(line))
        print("yes", flush=True)
    except jinja2.TemplateSyntaxError as e:
        print("no", str(e).replace("\n", " "), flush=True)
    except RecursionError:
        print("deep", flush=True)
