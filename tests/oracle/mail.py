"""Prints, as JSON, source mail as Python's email package sees it: one line for each message file on standard input.

An argument names an mbox file instead; its messages are split here, by the rules of mboxrd and mboxo alike.
"""
import codecs
import email
import email.header
import hashlib
import json
import re
import sys


def charset(name):
    return codecs.lookup("cp874") if name.replace("_", "-") == "windows-874" else None


codecs.register(charset)


def header(value):
    """The text of an unstructured field, or None where Python cannot tell."""
    if value is None:
        return ""
    try:
        parts = email.header.decode_header(value)
        words = []
        for text, name in parts:
            if isinstance(text, bytes):
                text = text.decode("ascii" if name is None else name)
            elif isinstance(text, email.header.Header):
                return None
            words.append(text)
        return " ".join("".join(words).split())
    except Exception:
        return None


def leaves(part):
    todo = [part]
    while todo:
        one = todo.pop()
        if isinstance(one.get_payload(), list):
            if one.get_content_type() != "message/delivery-status":
                todo.extend(reversed(one.get_payload()))
        else:
            yield one


def entry(data):
    message = email.message_from_bytes(data)
    found = []
    for part in leaves(message):
        raw = part.get_payload(decode=True) or b""
        try:
            text = " ".join(raw.decode(part.get_content_charset() or "ascii").split())
        except Exception:
            text = None
        found.append({"type": part.get_content_type(), "sha": hashlib.sha256(raw).hexdigest(), "text": text})
    return {"subject": header(message["Subject"]), "id": (message["Message-ID"] or "").strip(), "leaves": found}


def split(path):
    """The messages of an mbox: a separator stands at the start or after an empty line."""
    current, blank = None, True
    with open(path, "rb") as f:
        for line in f:
            if blank and re.match(rb"From .*\d\d:\d\d", line):
                if current is not None:
                    yield b"".join(current)
                current = []
            elif current is not None:
                current.append(re.sub(rb"^>(>*From )", rb"\1", line))
            blank = line in (b"\n", b"\r\n")
    if current is not None:
        yield b"".join(current)


if len(sys.argv) > 1:
    for one in split(sys.argv[1]):
        print(json.dumps(entry(one)))
else:
    for line in sys.stdin:
        with open(line.rstrip("\n"), "rb") as f:
            print(json.dumps(entry(f.read())))
