"""Prints, for each message file named on standard input, its leaf parts as Python's email package sees them."""
import email
import email.policy
import hashlib
import sys


def leaves(part):
    todo = [part]
    while todo:
        one = todo.pop()
        if one.get_content_maintype() == "multipart" and isinstance(one.get_payload(), list):
            todo.extend(reversed(one.get_payload()))
        else:
            yield one


for line in sys.stdin:
    path = line.rstrip("\n")
    print("file\t" + path)
    try:
        with open(path, "rb") as f:
            message = email.message_from_bytes(f.read())
        broken = [d for part in message.walk() for d in part.defects]
        if broken:
            print("error\t" + repr(broken[0]))
            continue
        for part in leaves(message):
            if isinstance(part.get_payload(), list):
                print("leaf\t" + part.get_content_type() + "\t-")
                continue
            data = part.get_payload(decode=True) or b""
            print("leaf\t" + part.get_content_type() + "\t" + hashlib.sha256(data).hexdigest())
    except Exception as e:  # The other reader gave up, which says nothing about ours.
        print("error\t" + repr(e).replace("\n", " "))
