"""Checks files of JSON lines by the schema in FORMAT.md, and prints as JSON what is in them, as pff.py does for a PST.

The first line on standard input names FORMAT.md, each other one a file.
"""
import base64
import codecs
import datetime
import hashlib
import json
import math
import re
import struct
import sys

import jsonschema

SUBJECT, BODY, HTML, DATA, METHOD = "0x0037", "0x1000", "0x1013", "0x3701", "0x3705"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def schema(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    blocks = re.findall(r"```json\n(.*?)```", text, re.S)
    whole = next(json.loads(b) for b in blocks if "$schema" in b)
    jsonschema.Draft202012Validator.check_schema(whole)
    one = {"$ref": "#/$defs/property", "$defs": whole["$defs"]}
    examples = [line for b in blocks if "$schema" not in b for line in b.splitlines()]
    for line in examples:
        jsonschema.Draft202012Validator(one).validate(json.loads(line))
    assert examples
    return jsonschema.Draft202012Validator(whole)


def filetime(text):
    """A FILETIME from the time in ISO 8601 that is there for people."""
    second, _, fraction = text.rstrip("Z").partition(".")
    since = datetime.datetime.fromisoformat(second) - datetime.datetime(1601, 1, 1)
    return (since.days * 86400 + since.seconds) * 10**7 + int(fraction.ljust(7, "0") or 0)


def agree(kind, value):
    """What is there for people says the same as what is exact."""
    if "time" in value:
        assert filetime(value["time"]) == int(value["value"]), value
    if "bits" in value:
        bits = bytes.fromhex(value["bits"][2:])
        exact = struct.unpack(">f" if len(bits) == 4 else ">d", bits)[0]
        shown = value["value"]
        if shown is None:
            assert not math.isfinite(exact), value
        else:
            again = struct.pack(">f" if len(bits) == 4 else ">d", shown)
            assert again == bits, value
    if "utf16" in value:
        assert base64.b64decode(value["utf16"]).decode("utf-16-le", "replace").count("\ufffd") > 0, value
    if kind == 0x1E and value["value"].isascii():
        assert base64.b64decode(value["base64"]).decode("latin-1") == value["value"], value


def check(message):
    bags = [message["properties"], *message["recipients"], *(a["properties"] for a in message["attachments"])]
    for prop in (p for bag in bags for p in bag if "as" not in p):
        kind = int(prop["type"], 16)
        for value in prop.get("values", [prop]):
            agree(kind & 0xEFFF, value)
    for inner in (a["message"] for a in message["attachments"] if "message" in a):
        check(inner)


def find(properties, id):
    return next((p for p in properties if p["id"] == id and "named" not in p), None)


def text(properties, id):
    found = find(properties, id)
    if found is None:
        return None
    if "utf16" in found:
        return base64.b64decode(found["utf16"]).decode("utf-16-le", "replace")
    if found["type"] == "0x001E":
        return base64.b64decode(found["base64"]).decode("latin-1")
    return found.get("value")


def attachment(one):
    method = find(one["properties"], METHOD)
    if method is not None and method["value"] == 5:
        return "embedded"
    data = find(one["properties"], DATA)
    return sha(base64.b64decode(data["base64"]) if data and data["type"] == "0x0102" else b"")


def entry(message):
    properties = message["properties"]
    body, html = text(properties, BODY), find(properties, HTML)
    html = base64.b64decode(html["base64"]) if html and "base64" in html else text(properties, HTML)
    html = html.encode("utf-16-le") if isinstance(html, str) else html
    return {
        "subject": text(properties, SUBJECT) or "",
        "body": sha(body.encode("utf-8", "surrogatepass")) if body else None,
        "html": sha(html) if html else None,
        "attachments": [attachment(a) for a in message["attachments"]],
    }


def listing(path, validator):
    folders, lines = {}, 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            one = json.loads(line)
            validator.validate(one)
            lines += 1
            if one["type"] == "folder" and not one.get("search"):
                folders.setdefault(tuple(one["path"]), [])
            elif one["type"] == "item":
                check(one["message"])
                if not one["associated"]:
                    folders[tuple(one["path"])].append(entry(one["message"]))
    return {"lines": lines, "folders": [{"path": list(p), "messages": m} for p, m in folders.items()]}


validator = schema(sys.stdin.readline().rstrip("\n"))
for name in sys.stdin:
    print(json.dumps(listing(name.rstrip("\n"), validator)))
