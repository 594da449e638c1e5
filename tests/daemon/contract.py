# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml as a judge: of every answer the daemon tests get, and of the route table."""
import pathlib
import re

import jsonschema
import yaml

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = yaml.safe_load((TOP / "docs/openapi.yaml").read_text())
RESOLVER = jsonschema.RefResolver.from_schema(DOCUMENT)
METHODS = ("get", "put", "post", "delete", "patch")


def described():
    """{(method, path with {names})}"""
    return {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS}


def routed():
    """{(method, path with *)}: what src/web/route.c has below /api/, with its flags."""
    text = (TOP / "src/web/route.c").read_text()
    rows = re.findall(r'^\s*\{"([A-Z]+)", "(/api/[^"]*)", ([^}]*)\}', text, re.M)
    return {(method, path): rest for method, path, rest in rows}


def resolve(node):
    while "$ref" in node:
        node = RESOLVER.resolve(node["$ref"])[1]
    return node


def operation(method, target):
    """The operation behind a request, or None."""
    path = target.split("?")[0]
    for pattern, item in sorted(DOCUMENT["paths"].items(), key=lambda entry: "{" in entry[0]):
        regex = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(pattern))
        if re.fullmatch(regex, path):
            return item.get("get" if method == "HEAD" else method.lower())
    return None


def schema_errors(schema, value):
    validator = jsonschema.Draft202012Validator(schema, resolver=RESOLVER)
    return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:300]) for e in validator.iter_errors(value)]


def errors_of(answer):
    """An answer to what no operation describes: an error, and nothing else."""
    if not 400 <= answer.status < 600:
        return ["status %d from something that is not described" % answer.status]
    return schema_errors({"$ref": "#/components/schemas/Error"}, answer.json())


def complaints(method, target, answer):
    """Why the answer is not as described; [] when it is."""
    if not target.startswith("/api/") or method == "HEAD":
        return []
    op = operation(method, target)
    if op is None:
        return errors_of(answer)
    responses = op["responses"]
    response = responses.get(str(answer.status)) or responses.get("%dXX" % (answer.status // 100))
    if response is None:
        return ["status %d is not described" % answer.status]
    response = resolve(response)
    if "content" not in response:
        return ["a body that is not described"] if answer.body else []
    if answer.headers.get_content_type() != "application/json":
        return ["the type is %s" % answer.headers.get("Content-Type")]
    found = schema_errors(response["content"]["application/json"]["schema"], answer.json())
    for name in response.get("headers", {}):
        if answer.headers.get(name) is None:
            found.append("no header " + name)
    return found
