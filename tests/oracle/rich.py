"""Prints, as JSON, what three Python packages make of compressed rich text: one line for each file on standard input.

compressed_rtf unpacks, RTFDE takes encapsulated HTML and text out, striprtf turns RTF into plain text.
"""
import contextlib
import hashlib
import io
import json
import logging
import sys

import compressed_rtf
from RTFDE.deencapsulate import DeEncapsulator
from striprtf.striprtf import rtf_to_text

logging.disable(logging.CRITICAL)


def entry(data):
    out = {"rtf": None, "kind": None, "content": None, "plain": None}
    try:
        rtf = compressed_rtf.decompress(data)
    except Exception:
        return out
    out["rtf"] = hashlib.sha256(rtf).hexdigest()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reader = DeEncapsulator(rtf)
            reader.deencapsulate()
        out["kind"] = reader.content_type
        content = reader.html if reader.content_type == "html" else reader.text
        out["content"] = content.decode("utf-8") if isinstance(content, bytes) else content
    except Exception:
        pass
    try:
        out["plain"] = rtf_to_text(rtf.decode("latin-1"), encoding="cp1252", errors="replace")
    except Exception:
        pass
    return out


for line in sys.stdin:
    with open(line.rstrip("\n"), "rb") as f:
        print(json.dumps(entry(f.read())))
