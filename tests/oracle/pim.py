"""Prints, as JSON, what Python packages read in calendars and vCards: one answer for each line on standard input.

A line is "ics" and two paths (icalendar, and the occurrences of recurring-ical-events over two years) or "vcf" and paths
(vobject), with tabs between them.
"""
import datetime
import json
import sys
import warnings

import icalendar
import recurring_ical_events
import vobject

warnings.simplefilter("ignore")

ITEMS = ("VEVENT", "VTODO", "VJOURNAL")
UTC = datetime.timezone.utc


def moment(value):
    """A date as it is; a time in UTC, or as it is where it has no zone."""
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return value.strftime("%Y%m%dT%H%M%S" if isinstance(value, datetime.datetime) else "%Y%m%d")


def title(event):
    """The summary without what several writers do to it: marks that escape nothing, and line ends."""
    return " ".join(str(event.get("SUMMARY", "")).replace("\\", "").split())


def occurrences(calendar, start):
    """When every event takes place, and under what name, for two years from the first start."""
    events = recurring_ical_events.of(calendar, components=["VEVENT"], skip_bad_series=True)
    out = []
    for event in events.between(start, start + datetime.timedelta(days=731)):
        end = event.get("DTEND")
        out.append([moment(event["DTSTART"].dt), moment(end.dt) if end else "", title(event)])
    return sorted(out)


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16").encode()
    return icalendar.Calendar.from_ical(data, multiple=True)


def items(calendars):
    """The name of every item and its properties as text."""
    out = []
    for item in (item for one in calendars for item in one.walk() if item.name in ITEMS):
        lines = item.property_items(recursive=False, sorted=False)
        texts = [[n, v.to_ical().decode("utf-8", "replace")] for n, v in lines if hasattr(v, "to_ical")]
        out.append([item.name, sorted(t for t in texts if t[0] not in ("BEGIN", "END"))])
    return out


def first_day(calendars):
    """The day before the first event."""
    starts = [item.decoded("DTSTART") for one in calendars for item in one.walk("VEVENT")]
    days = [s.date() if isinstance(s, datetime.datetime) else s for s in starts]
    return datetime.datetime.combine(min(days), datetime.time(), UTC) - datetime.timedelta(days=1)


def pair(paths):
    """A calendar and what was made of it: items, and occurrences in the same two years; null for what cannot be read."""
    out = []
    first = None
    for path in paths:
        answer = {"items": None, "occurrences": None}
        out.append(answer)
        try:
            calendars = read(path)
            answer["items"] = items(calendars)
            first = first or first_day(calendars)
            answer["occurrences"] = sorted(sum((occurrences(c, first) for c in calendars), []))
        except Exception as e:
            answer["error"] = repr(e)
    return out


def cards(path):
    """The lines of every card; null where they cannot be read."""
    with open(path, "rb") as f:
        text = f.read().decode("utf-8", "replace")
    out = []
    try:
        for card in vobject.readComponents(text, ignoreUnreadable=True):
            values = [[name.upper(), str(v.value)] for name, all in card.contents.items() for v in all]
            out.append(sorted(values))
    except Exception:
        return None
    return out


for line in sys.stdin:
    kind, *paths = line.rstrip("\n").split("\t")
    print(json.dumps(pair(paths) if kind == "ics" else [cards(p) for p in paths]))
