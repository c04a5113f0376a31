"""Prints, as JSON, what extract-msg reads in .msg files: one line for each file on standard input."""
import hashlib
import json
import logging
import sys

import extract_msg
from extract_msg.enums import AttachmentType
from extract_msg.exceptions import UnrecognizedMSGTypeError, UnsupportedMSGTypeError

logging.disable(logging.CRITICAL)


def sha(data):
    return hashlib.sha256(data).hexdigest() if data else None


def text(message, name):
    """A string property, whatever its type."""
    value = message.getStringStream(f"__substg1.0_{name}")
    return value.rstrip("\0") if value is not None else None


def named(message):
    """The names of the named properties that the message has."""
    ids = {tag[:4] for tag in message.props}
    known = ((key, message.named[key].propertyStreamID) for key in message.named.keys())
    return sorted(f"{guid}:{name}".upper() for (name, guid), id in known if id in ids)


def attachment(one):
    if one.type is AttachmentType.MSG:
        return {"message": entry(one.data)}
    data = one.data if isinstance(one.data, bytes) else None
    return {"name": one.longFilename or one.shortFilename, "sha": sha(data), "type": one.type.name}


def entry(message):
    recipients = [[r.type.value if hasattr(r.type, "value") else r.type, r.name, r.email] for r in message.recipients]
    body, html = text(message, "1000"), message.getStream("__substg1.0_10130102")
    return {
        "class": text(message, "001A"),
        "subject": text(message, "0037"),
        "sender": text(message, "0C1A"),
        "recipients": recipients,
        "body": sha(body.encode("utf-8", "surrogatepass")) if body else None,
        "html": sha(html),
        "rtf": sha(message.getStream("__substg1.0_10090102")),
        "attachments": [attachment(a) for a in message.attachments],
        "named": named(message),
    }


def open_any(path):
    """Classes that it does not know are read as messages."""
    try:
        return extract_msg.openMsg(path, delayAttachments=False)
    except (UnrecognizedMSGTypeError, UnsupportedMSGTypeError):
        return extract_msg.Message(path, delayAttachments=False)


for line in sys.stdin:
    with open_any(line.rstrip("\n")) as m:
        print(json.dumps(entry(m)))
