"""Reads folders of attachments, one on each line of standard input, and prints as JSON the hashes of their files.

The table, by Python's csv, must say the same as the lines, and both what the files are.
"""
import csv
import hashlib
import json
import os
import sys

COLUMNS = "folder item inside subject from date name file type size sha256 content_id inline note".split()


def cell(value):
    """What a cell says, without the apostrophe that keeps spreadsheets from taking it for a formula."""
    if value.startswith("'") and value[1:2] in ("=", "+", "-", "@", "\t", "\r"):
        return value[1:]
    return value


def told(line):
    joined = {"folder": "/".join(line["folder"]), "inside": " > ".join(line["inside"])}
    plain = {k: "" if v is None else str(v) for k, v in line.items()}
    return {**plain, **joined, "inline": "yes" if line["inline"] else "no"}


def check(top):
    with open(os.path.join(top, "index.csv"), encoding="utf-8-sig", newline="") as f:
        table = list(csv.reader(f, strict=True))
    with open(os.path.join(top, "index.jsonl"), encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    assert table[0] == COLUMNS, table[0]
    assert len(table) - 1 == len(lines), top
    named, hashes = set(), []
    for cells, line in zip(table[1:], lines):
        row = {k: cell(v) for k, v in zip(COLUMNS, cells, strict=True)}
        assert row == told(line), (row, told(line))
        if line["file"] is None:
            assert line["note"] and line["sha256"] is None, line
            continue
        with open(os.path.join(top, line["file"]), "rb") as f:
            data = f.read()
        assert len(data) == line["size"] and hashlib.sha256(data).hexdigest() == line["sha256"], line
        named.add(os.path.join(top, line["file"]))
        hashes.append(line["sha256"])
    there = {os.path.join(at, n) for at, _, names in os.walk(top) for n in names}
    assert there - named == {os.path.join(top, n) for n in ("index.csv", "index.jsonl")}, there - named
    return hashes


for line in sys.stdin:
    print(json.dumps(check(line.rstrip("\n"))))
