"""Prints, as JSON, what libpff reads in a PST: folders and messages, with hashes of bodies and attachments."""
import hashlib
import json
import sys

import pypff

SUBJECT, BODY, HTML, METHOD, SUBTREE = 0x0037, 0x1000, 0x1013, 0x3705, 0x35E0
NORMAL_FOLDER = 0x02


def sha(data):
    return hashlib.sha256(data).hexdigest()


def properties(item):
    found = {}
    for record_set in item.record_sets:
        for entry in record_set.entries:
            found.setdefault(entry.entry_type, entry)
    return found


def text(found, tag):
    entry = found.get(tag)
    if entry is None or entry.data is None:
        return None
    if entry.value_type == 0x1F:
        return entry.data.decode("utf-16-le", "replace")
    return entry.data.decode("latin-1")


def attachment(item):
    method = properties(item).get(METHOD)
    method = int.from_bytes(method.data, "little") if method is not None and method.data else 0
    if method == 5:
        return "embedded"
    size, hasher, done = item.size, hashlib.sha256(), 0
    while done < size:
        data = item.read_buffer(min(1 << 20, size - done))
        if not data:
            break
        hasher.update(data)
        done += len(data)
    return hasher.hexdigest()


def message(item):
    found = properties(item)
    body = text(found, BODY)
    html = found.get(HTML)
    count = getattr(item, "number_of_attachments", 0)  # contacts and the like have none
    return {
        "subject": text(found, SUBJECT) or "",
        "body": None if not body else sha(body.encode("utf-8", "surrogatepass")),
        "html": None if html is None or not html.data else sha(html.data),
        "attachments": [attachment(item.get_attachment(i)) for i in range(count)],
    }


def folders(root, subtree):
    todo = [(root, [], False)]
    while todo:
        folder, path, inside = todo.pop(0)
        if folder.identifier == subtree:
            path, inside = [], True
        items = [folder.get_sub_message(i) for i in range(folder.number_of_sub_messages)]
        if inside or items:
            yield {"path": path, "messages": [message(m) for m in items]}
        for i in range(folder.number_of_sub_folders):
            sub = folder.get_sub_folder(i)
            if sub.identifier & 0x1F == NORMAL_FOLDER:
                todo.append((sub, path + [sub.name or ""], inside))


f = pypff.file()
f.open(sys.argv[1])
entry_id = properties(f.get_message_store())[SUBTREE].data
subtree = int.from_bytes(entry_id[20:24], "little")
json.dump(list(folders(f.get_root_folder(), subtree)), sys.stdout)
