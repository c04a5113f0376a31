"""What exchangelib reads in a mailbox, a line for each item: exchangelib_reads.py URL."""
import os
import sys

from exchangelib import BASIC, DELEGATE, Account, Build, Configuration, Credentials, Version

credentials = Credentials(os.environ["EWS_USER"], os.environ["EWS_PASSWORD"])
version = Version(build=Build(15, 2, 1544, 4))
config = Configuration(service_endpoint=sys.argv[1], credentials=credentials, auth_type=BASIC, version=version)
account = Account("anna@example.com", config=config, autodiscover=False, access_type=DELEGATE)
lines = []
for folder in account.inbox.walk():
    fields = "subject", "message_id", "datetime_received", "is_read"
    for item in folder.all().only(*fields):
        received = item.datetime_received.isoformat()
        lines.append("|".join([folder.name, item.subject, item.message_id, received, str(item.is_read)]))
print("\n".join(sorted(lines)))
