"""Prints, as JSON, the eml files that readpst wrote below a folder: per folder its messages, with hashes."""
import email
import email.header
import hashlib
import json
import os
import sys


def header(value):
    try:
        parts = email.header.decode_header(value)
        return "".join(p.decode(c or "utf-8", "replace") if isinstance(p, bytes) else p for p, c in parts)
    except Exception:
        return str(value)


def attachments(part):
    """Files beside the body; what readpst adds of its own (a copy of an RTF body) is left out."""
    todo = list(reversed(part.get_payload())) if part.is_multipart() else []
    while todo:
        one = todo.pop()
        if one.get_content_type() == "message/rfc822":
            yield "embedded"
        elif one.get_content_maintype() == "message":
            yield "report"  # Python takes it apart, so its bytes are not to be had
        elif one.is_multipart():
            todo.extend(reversed(one.get_payload()))
        elif one.get_content_disposition() == "attachment" and one.get_filename() != "rtf-body.rtf":
            yield hashlib.sha256(one.get_payload(decode=True) or b"").hexdigest()


top, out = sys.argv[1], []
for path, _, names in os.walk(top):
    messages = []
    for name in sorted((n for n in names if n.endswith(".eml")), key=lambda n: int(n.split(".")[0].split("-")[0])):
        with open(os.path.join(path, name), "rb") as f:
            one = email.message_from_bytes(f.read())
        messages.append({"subject": header(one["Subject"] or ""), "attachments": list(attachments(one))})
    out.append({"path": [p for p in os.path.relpath(path, top).split(os.sep) if p != "."], "messages": messages})
json.dump(out, sys.stdout)
