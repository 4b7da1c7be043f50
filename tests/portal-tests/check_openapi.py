#!/usr/bin/python3
"""Checks every recorded exchange with the portal against docs/portal-api.yaml. Prints TAP.

usage: check_openapi.py portal-api.yaml problem.h exchanges/*.jsonl

Each exchange's status, media type, headers and body must be what the operation documents, and so must the body of
each request that the portal accepted. The run fails too when an operation's success or one of its own problems was
never seen, when the document is not sound in itself, or when its problems are not those of problem.h.
"""
import base64
import json
import re
import sys

import jsonschema
import yaml

PROBLEM_TYPE = "urn:pinward:problem:"
# Any operation can answer these; that each was seen once is enough.
ANYWHERE = {"internal", "busy", "too-large", "bad-request", "unsupported-media-type", "login-required",
            "password-change-required"}


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.safe_load(file)
        self.resolver = jsonschema.RefResolver("", self.root)
        self.operations = {}
        self.templates = {}
        for template, item in self.root["paths"].items():
            self.templates[template] = re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + "$")
            for method, operation in item.items():
                self.operations[method.upper(), template] = operation

    def deref(self, node):
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def validator(self, schema):
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver)

    def template_of(self, path):
        return next((t for t, pattern in self.templates.items() if pattern.match(path)), None)

    def problems_of(self, operation):
        """(status, slug) of each problem that the operation documents."""
        found = set()
        for status, response in operation["responses"].items():
            media = self.deref(response).get("content", {}).get("application/problem+json")
            if media is None:
                continue
            for schema in media["schema"].get("oneOf", [media["schema"]]):
                constant = self.deref(schema)["properties"]["type"]["const"]
                found.add((int(status), constant[len(PROBLEM_TYPE):]))
        return found


def walk(node, path=""):
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{path}/{index}")


def document_faults(document):
    """What is wrong with the document itself."""
    if document.root.get("openapi") != "3.1.0":
        yield "it is not OpenAPI 3.1.0"
    ids = [operation.get("operationId") for operation in document.operations.values()]
    if None in ids or len(set(ids)) != len(ids):
        yield "an operationId is missing or is there twice"
    used = set()
    for path, node in walk(document.root):
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            used.add(node["$ref"])
            try:
                document.resolver.resolve(node["$ref"])
            except jsonschema.RefResolutionError:
                yield f"{path}: {node['$ref']} is not there"
    for name, schema in document.root["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            yield f"schema {name} is not closed"
        if f"#/components/schemas/{name}" not in used:
            yield f"schema {name} is used nowhere"
        examples = schema.get("examples", [])
        if not examples and name not in ("Nothing", "Subject", "Profile", "Certificate", "PasswordText"):
            yield f"schema {name} has no example"
        for example in examples:
            for error in document.validator(schema).iter_errors(example):
                yield f"the example of {name}: {error.message}"
    for template in document.root["paths"]:
        named = set(re.findall(r"\{(\w+)\}", template))
        for operation in document.root["paths"][template].values():
            given = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            if given != named:
                yield f"{template}: its path parameters are not described"


def code_faults(document, header_path):
    """Where the document's problems are not those of the code."""
    with open(header_path, encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    code = {(int(status), slug, title)
            for status, slug, title in re.findall(r'X\(PROBLEM_\w+,\s*(\d+),\s*"([^"]+)",\s*"([^"]+)"\)', text)}
    schemas = document.root["components"]["schemas"]
    described = set()
    for name, schema in schemas.items():
        if name.startswith("Problem"):
            p = schema["properties"]
            described.add((p["status"]["const"], p["type"]["const"][len(PROBLEM_TYPE):], p["title"]["const"]))
    for row in sorted(code ^ described):
        yield f"{row} is only in {'the code' if row in code else 'the document'}"
    if not code:
        yield "no problem was found in the code"


class Run:
    def __init__(self, document):
        self.document = document
        self.seen = set()     # (method, template, status)
        self.problems = set() # (method, template, status, slug)

    def response_of(self, exchange):
        """The documented response for an exchange, or a sentence about why there is none."""
        path, status = exchange["path"], exchange["status"]
        method = "GET" if exchange["method"] == "HEAD" else exchange["method"]
        template = self.document.template_of(path)
        if template is None:
            return self.document.root["components"]["responses"]["NotFoundPath"] if status == 404 else \
                "the path is not documented"
        operation = self.document.operations.get((method, template))
        if operation is None:
            return self.document.root["components"]["responses"]["MethodNotAllowed"] if status == 405 else \
                "the method is not documented"
        self.seen.add((method, template, status))
        response = operation["responses"].get(str(status))
        return "the status is not documented" if response is None else self.document.deref(response)

    def header_faults(self, exchange, response):
        headers = exchange["headers"]
        for name, node in response.get("headers", {}).items():
            header = self.document.deref(node)
            value = headers.get(name.lower())
            if value is None:
                if header.get("required"):
                    yield f"the header {name} is missing"
                continue
            for error in self.document.validator(header["schema"]).iter_errors(value):
                yield f"the header {name}: {error.message}"
        documented = {name.lower() for name in response.get("headers", {})}
        for name in ("set-cookie", "location", "retry-after", "www-authenticate", "allow", "cache-control"):
            if name in headers and name not in documented:
                yield f"the header {name} is not documented"

    def body_faults(self, exchange, response):
        body = base64.b64decode(exchange["body"])
        content = response.get("content")
        if exchange["method"] == "HEAD" or content is None:
            if body:
                yield "there is a body"
            return
        media_type = exchange["headers"].get("content-type", "")
        if media_type not in content:
            yield f"the media type {media_type!r} is not documented"
            return
        if not media_type.endswith("json"):
            if not body:
                yield "there is no body"
            return
        value = json.loads(body)
        for error in self.document.validator(content[media_type]["schema"]).iter_errors(value):
            yield f"the body: {error.message}"
        if media_type == "application/problem+json":
            slug = value["type"][len(PROBLEM_TYPE):]
            method = "GET" if exchange["method"] == "HEAD" else exchange["method"]
            self.problems.add((method, self.document.template_of(exchange["path"]), exchange["status"], slug))

    def request_faults(self, exchange):
        """A request that the portal accepted must be one that the document describes."""
        template = self.document.template_of(exchange["path"])
        operation = self.document.operations.get((exchange["method"], template), {})
        if exchange["status"] >= 300 or "application/json" not in operation.get("requestBody", {}).get("content", {}):
            return
        if "request" not in exchange:
            if operation["requestBody"]["required"]:
                yield "it was accepted without a body"
            return
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for error in self.document.validator(schema).iter_errors(exchange["request"]):
            yield f"the accepted request: {error.message}"

    def faults(self, exchange):
        response = self.response_of(exchange)
        if isinstance(response, str):
            yield response
            return
        yield from self.header_faults(exchange, response)
        yield from self.body_faults(exchange, response)
        yield from self.request_faults(exchange)

    def unseen(self):
        """Documented answers that no test has drawn."""
        slugs = {slug for _, _, _, slug in self.problems}
        for (method, template), operation in self.document.operations.items():
            for status in operation["responses"]:
                if status < "300" and (method, template, int(status)) not in self.seen:
                    yield f"{method} {template}: {status}"
            for status, slug in sorted(self.document.problems_of(operation)):
                if slug in ANYWHERE and slug not in slugs:
                    yield f"{slug}"
                elif slug not in ANYWHERE and (method, template, status, slug) not in self.problems:
                    yield f"{method} {template}: {status} {slug}"
        for slug in ("not-found", "method-not-allowed"):
            if slug not in slugs:
                yield slug


def main(arguments):
    document = Document(arguments[0])
    run = Run(document)
    count = 0
    results = [("the document is sound", list(document_faults(document))),
               ("its problems are those of the code", list(code_faults(document, arguments[1])))]
    for path in sorted(arguments[2:]):
        faults = []
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                exchange = json.loads(line)
                count += 1
                faults += [f"line {number}: {exchange['method']} {exchange['path']} -> {exchange['status']}: {fault}"
                           for fault in run.faults(exchange)]
        results.append((f"{path.rsplit('/', 1)[-1]} follows it", faults))
    results.append(("there were exchanges", [] if count else ["no exchange was recorded"]))
    results.append(("every documented answer was seen", sorted(set(run.unseen()))))
    print(f"1..{len(results)}")
    for number, (name, faults) in enumerate(results, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults[:50]:
            print(f"# {fault}")
    print(f"# {count} exchanges, {len(document.operations)} operations")
    return 1 if any(faults for _, faults in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
