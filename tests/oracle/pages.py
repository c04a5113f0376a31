"""Reads trees of pages with html5lib, and says what in them is not as it should be: one line of JSON for each tree.

Each line on standard input is JSON: `tree`, the folder, and `originals`, pairs of a page and a file with the HTML that
it was made of, whose words must all be in the page.
"""
import json
import os
import re
import sys
import urllib.parse

import html5lib

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
NEVER = {
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "link", "base", "form", "input", "button",
    "select", "textarea", "svg", "math", "template", "noscript", "video", "audio", "source", "picture", "canvas",
}
# Elements whose text no browser shows, or that are not for this comparison.
UNSEEN = {"script", "style", "title", "template", "noembed", "noframes", "iframe", "svg", "math"}
# Whatever these name would be fetched, opened or run.
ADDRESSES = {"src", "href", "srcset", "background", "poster", "data", "action", "formaction", "ping", "cite", "longdesc"}
PICTURE = re.compile(r"data:image/(png|jpeg|gif|bmp|webp);base64,[A-Za-z0-9+/]+={0,2}\Z")


def local(tag):
    return tag.split("}")[-1] if isinstance(tag, str) else None


def words(tree, root):
    """The words that a browser shows."""
    out = []

    def walk(node):
        if not isinstance(node.tag, str):
            return
        if local(node.tag) in UNSEEN:
            return
        if node.text:
            out.append(node.text)
        for child in node:
            walk(child)
            out.append(" " if local(child.tag) in {"br", "p", "div", "td", "th", "tr", "li", "img"} else "")
            if child.tail:
                out.append(child.tail)

    walk(root)
    return "".join(out).replace("\u0000", "\ufffd").split()


def style(text, wrong, where):
    lower = re.sub(r"/\*.*?\*/", "", text.lower(), flags=re.S)
    for bad in ("url(", "@import", "@font-face", "expression", "position", "behavior", "-moz-binding", "javascript", "\\", "z-index", "<"):
        if bad in lower:
            wrong.append(f"{where}: {bad} in a style")


def address(path, name, attribute, value, wrong, tree):
    if (name, attribute) == ("img", "src"):
        if not PICTURE.match(value):
            wrong.append(f"{path}: a picture is not in the page: {value[:80]}")
    elif (name, attribute) == ("a", "href"):
        scheme = urllib.parse.urlsplit(value).scheme if ":" in value.split("/")[0] else ""
        if scheme in ("http", "https", "mailto"):
            return
        if scheme:
            wrong.append(f"{path}: a link to {value[:80]}")
        elif value != "#":
            to = os.path.normpath(os.path.join(os.path.dirname(path), urllib.parse.unquote(value)))
            if not os.path.isfile(to) or not to.startswith(tree + os.sep):
                wrong.append(f"{path}: a link to a file that is not there: {value[:80]}")
    else:
        wrong.append(f"{path}: {name} {attribute}={value[:80]}")


def page(path, tree, wrong):
    with open(path, "rb") as f:
        data = f.read()
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(data)
    wrong.extend(f"{path}: {code} at {position}" for position, code, _ in parser.errors[:3])
    if parser.tokenizer.stream.charEncoding[0].name != "utf-8":
        wrong.append(f"{path}: it is read as {parser.tokenizer.stream.charEncoding[0].name}")
    body = document.find("body")
    in_main = set(document.findall(".//main//*")) if body.find("main") is not None else set()
    for node in document.iter():
        name = local(node.tag)
        if name is None:
            continue
        if name in NEVER:
            wrong.append(f"{path}: an element {name}")
        if name == "style":
            style(node.text or "", wrong, path)
        for attribute, value in node.attrib.items():
            if attribute.startswith("on"):
                wrong.append(f"{path}: {name} {attribute}")
            if attribute == "style":
                style(value, wrong, path)
            if attribute in ADDRESSES:
                address(path, name, attribute, value, wrong, tree)
        if name == "a" and node in in_main and node.get("rel") != "noopener noreferrer":
            wrong.append(f"{path}: a link without rel")
        if name == "meta" and (node.get("http-equiv") or "Content-Security-Policy") != "Content-Security-Policy":
            wrong.append(f"{path}: meta {node.get('http-equiv')}")
    policies = [m.get("content") for m in document.iter("meta") if m.get("http-equiv")]
    if policies != [POLICY]:
        wrong.append(f"{path}: the policy is {policies}")
    if not (document.findtext(".//title") or "").strip():
        wrong.append(f"{path}: no title")
    order = [local(e.tag) for e in body]
    is_list = os.path.basename(path).startswith("index")
    if not is_list and (order[:3] != ["nav", "header", "main"] or order[3:] not in ([], ["footer"])):
        wrong.append(f"{path}: its parts are {order}")
    return document


def compare(path, original, document, wrong):
    with open(original, encoding="utf-8", newline="") as f:
        text = f.read()
    theirs = html5lib.parse(text, namespaceHTMLElements=False)
    expected = words(theirs, theirs.find("body")) if theirs.find("body") is not None else []
    main = document.find(".//main")
    # What stands for pictures, and where tags part words, may differ: the letters and their order may not.
    found = iter("".join(words(document, main)))
    for letter in "".join(expected):
        if not any(letter == other for other in found):
            wrong.append(f"{path}: the text of {original} is not all there: {letter!r}")
            return 0
    return len(expected)


for line in sys.stdin:
    one = json.loads(line)
    tree, wrong, pages, compared = os.path.abspath(one["tree"]), [], 0, 0
    originals = {os.path.abspath(p): o for p, o in one["originals"]}
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".html"):
                pages += 1
                document = page(path, tree, wrong)
                if path in originals:
                    compared += compare(path, originals[path], document, wrong)
    print(json.dumps({"pages": pages, "words": compared, "wrong": wrong}))
