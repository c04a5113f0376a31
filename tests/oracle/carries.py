"""Prints, as JSON lines, where what readpst wrote of a message says more than what we wrote of it.

Arguments: the tree of readpst, then ours. The last line counts the messages compared, by kind of file.
"""
import base64
import email
import email.header
import email.utils
import hashlib
import html
import json
import os
import re
import sys

import icalendar


def text_of(value):
    """A field with its encoded words decoded."""
    try:
        parts = email.header.decode_header(value)
        return "".join(p.decode(c or "utf-8", "replace") if isinstance(p, bytes) else str(p) for p, c in parts)
    except Exception:
        return str(value)


def folded(value):
    return " ".join(text_of(value).split()).casefold()


def words(text):
    return re.findall(r"\w+", text.casefold())


def shown(page):
    """What a page shows, near enough to compare words."""
    page = re.sub(r"(?is)<(style|script|head)\b.*?</\1>|<!--.*?-->", " ", page)
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def decoded(part):
    raw = part.get_payload(decode=True) or b""
    for charset in (part.get_content_charset() or "utf-8", "utf-8", "cp1252", "latin-1"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue


def leaves(message):
    """Parts that hold no part; the messages inside are taken apart too."""
    todo = [message]
    while todo:
        one = todo.pop()
        if isinstance(one.get_payload(), list):
            todo.extend(reversed(one.get_payload()))
        else:
            yield one


class Mail:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            # readpst writes a separator of mbox before each message in a message, so that it has no fields.
            data = re.sub(rb"(?m)^>From .*\n(?=[-\w]+:)", b"", f.read())
        self.message = email.message_from_bytes(data)
        self.words, self.noted, self.files = set(), set(), []
        for part in self.message.walk():
            if part.get_content_maintype() == "message" and part["Content-Transfer-Encoding"] == "base64":
                # Python takes reports for fields also where they are encoded.
                coded = "".join(str(p) for p in part.get_payload())
                self.words.update(words(base64.b64decode(coded).decode("utf-8", "replace")))
                part.set_payload([])
        for part in leaves(self.message):
            name = text_of(part.get_filename() or "")
            raw = part.get_payload(decode=True) or b""
            if part.get_content_type() == "text/calendar":
                sheet = Sheet(path, decoded(part))
                self.words.update(sheet.words)
                self.noted.update(sheet.noted)
            elif part.get_content_maintype() == "text":
                text = decoded(part)
                self.words.update(words(shown(text) if part.get_content_subtype() == "html" and not name else text))
            # readpst says of a meeting in a file of its own naming; an RTF body is there as what it says.
            if name and name != "rtf-body.rtf" and not re.fullmatch(r"i\d+\.ics", name):
                self.files.append((hashlib.sha256(raw).hexdigest(), name, raw))

    def field(self, name):
        return folded(self.message[name]) if self.message[name] is not None else ""

    def people(self, name):
        found = email.utils.getaddresses([text_of(v) for v in self.message.get_all(name, [])])
        return {folded(a).strip("'") for _, a in found if "@" in a}

    def names(self, name):
        found = email.utils.getaddresses([text_of(v) for v in self.message.get_all(name, [])])
        return {folded(n or a) for n, a in found} - {"", "mailer-daemon"}  # readpst says so where it knows no sender.

    def date(self):
        try:
            return email.utils.parsedate_to_datetime(self.message["Date"]).timestamp()
        except Exception:
            return None

    def everything(self):
        """Every word of fields and texts."""
        fields = " ".join(f"{k} {text_of(v)}" for m in self.message.walk() for k, v in m.items())
        return self.words | self.noted | set(words(fields))


# Made by readpst itself, about the file and not about the message.
OWN = {"status", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "messageclass"}
OWN |= {"x-libpst-forensic-bcc", "x-libpst-forensic-sender"}


def more(theirs, ours):
    """What theirs has and ours lacks."""
    for name in ("To", "Cc", "Bcc", "From", "Sender", "Reply-To"):
        lacking = theirs.people(name) - ours.people(name)
        if lacking:
            yield f"{name}: {sorted(lacking)}"
        everyone = " ".join(sorted(ours.names(name)) + [ours.field(name)])
        lacking = {n for n in theirs.names(name) if n not in everyone}
        if lacking:
            yield f"{name}, names: {sorted(lacking)}"
    # readpst says in fields of its own what it does not find in the stored header.
    hidden = theirs.message.get("x-libpst-forensic-bcc")
    if hidden and folded(hidden) not in ours.field("Bcc"):
        yield f"Bcc: {hidden}"
    sender = theirs.message.get("x-libpst-forensic-sender")
    if sender and not ours.people("From") | ours.people("Sender") and folded(sender) not in folded(str(ours.message)):
        yield f"sender: {sender}"
    if theirs.date() is not None and theirs.date() != ours.date():
        yield f"Date: {theirs.message['Date']}, and ours {ours.message['Date']}"
    if theirs.field("Subject") != ours.field("Subject"):
        yield f"Subject: {theirs.field('Subject')!r}, and ours {ours.field('Subject')!r}"
    for name in {k.lower() for k in theirs.message.keys()} - OWN:
        kept = {folded(v) for v in ours.message.get_all(name, [])}
        lacking = [v for v in theirs.message.get_all(name) if folded(v) not in kept]
        if lacking and name not in ("date", "to", "cc", "bcc", "from", "sender", "reply-to", "subject"):
            yield f"field {name}: {lacking}"
    lacking = theirs.words - ours.everything()
    if lacking:
        yield f"words: {len(lacking)} of {len(theirs.words)}: {sorted(lacking)[:20]}"
    left = [digest for digest, _, _ in ours.files]
    for digest, name, raw in theirs.files:
        if digest in left:
            left.remove(digest)
        else:
            yield f"attachment {name!r}, {len(raw)} bytes"


class Sheet:
    """A contact or a calendar item by the words of its values; times are counted from one point."""

    # Of the writer and not of the item; readpst says "NONE" for no category and "(null)" for no name.
    OWN = ("BEGIN", "END", "VERSION", "PRODID", "REV", "METHOD", "DTSTAMP", "UID", "SORT-STRING")

    def __init__(self, path, text=None):
        self.path = path
        if text is None:
            with open(path, "rb") as f:
                text = f.read().decode("utf-8", "replace")
        self.words, self.noted = set(), set()
        for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
            name, _, value = line.partition(":")
            bare, _, parameters = name.partition(";")
            value = html.unescape(re.sub(r"\\[nN]", " ", value).replace("\\", ""))
            if bare.upper() in self.OWN or line == "CATEGORIES:NONE" or value == "(null)":
                continue
            self.noted.update(words(parameters))
            if not re.fullmatch(r"\d{8}T\d{6}Z?", value):
                self.words.update(words(value))
        if "BEGIN:VCALENDAR" in text:
            times = list(self.moments(text))
            self.words.update(f"at {t}" for t in times)
            self.noted.update(f"at {t - 1}" for t in times)  # readpst loses a second where a time has a fraction.

    @staticmethod
    def moments(text):
        """Times of events, counted from one point, whatever zone they are written in."""
        for item in icalendar.Calendar.from_ical(text).walk():
            # Not CREATED: readpst says there when this copy was made, or even when an attachment was.
            for name in ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID"):
                at = getattr(item.get(name), "dt", None)
                if item.name != "VTIMEZONE" and hasattr(at, "timestamp") and at.tzinfo:
                    yield int(at.timestamp())


def walk(top, endings):
    for path, _, names in os.walk(top):
        for name in sorted(names):
            if name.rsplit(".", 1)[-1] in endings:
                yield os.path.join(path, name)


def report(theirs, ours, what):
    print(json.dumps({"theirs": theirs.path, "ours": ours.path if ours else None, "more": what}))


def main(top, own):
    ours = [Mail(p) for p in walk(own, {"eml"})]
    counts = {"eml": 0, "vcf": 0, "ics": 0}
    for theirs in map(Mail, walk(top, {"eml"})):
        counts["eml"] += 1
        same = [o for o in ours if o.field("Subject") == theirs.field("Subject")] or [
            o for o in ours if o.date() is not None and o.date() == theirs.date()
        ]
        if not same:
            report(theirs, None, ["the message"])
            continue
        found = min(((list(more(theirs, o)), o) for o in same), key=lambda pair: len(pair[0]))
        ours.remove(found[1])
        if found[0]:
            report(theirs, found[1], found[0])
    for ending in ("vcf", "ics"):
        sheets = [Sheet(p) for p in walk(own, {ending})]
        for theirs in map(Sheet, walk(top, {ending})):
            counts[ending] += 1
            if not sheets:
                report(theirs, None, ["the item"])
                continue
            lacking, _, best = min((len(theirs.words - o.words - o.noted), i, o) for i, o in enumerate(sheets))
            sheets.remove(best)
            if lacking:
                report(theirs, best, [f"words: {sorted(theirs.words - best.words - best.noted)}"])
    print(json.dumps(counts))


main(sys.argv[1], sys.argv[2])
