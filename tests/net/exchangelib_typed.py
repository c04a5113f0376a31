"""What exchangelib reads of contacts, appointments and tasks, a line for each: exchangelib_typed.py URL."""
import os
import sys

from exchangelib import BASIC, DELEGATE, Account, Build, Configuration, Credentials, Version

credentials = Credentials(os.environ["EWS_USER"], os.environ["EWS_PASSWORD"])
version = Version(build=Build(15, 2, 1544, 4))
config = Configuration(service_endpoint=sys.argv[1], credentials=credentials, auth_type=BASIC, version=version)
account = Account("anna@example.com", config=config, autodiscover=False, access_type=DELEGATE)
for c in account.contacts.all():
    emails = ",".join(e.email for e in c.email_addresses or [])
    phones = ",".join(f"{p.label}={p.phone_number}" for p in c.phone_numbers or [] if p.phone_number)
    places = ",".join(f"{a.label}={a.street}/{a.city}" for a in c.physical_addresses or [] if a.city)
    print("contact", c.given_name, c.surname, c.company_name, emails, phones, places, c.body, sep="|")
for e in account.calendar.all():
    again = e.recurrence and (e.recurrence.pattern, e.recurrence.boundary)
    zone = e._start_timezone.ms_id if e._start_timezone else None
    print("event", e.subject, e.start, e.end, e.is_all_day, e.location, zone, e.reminder_is_set, again, sep="|")
for t in account.tasks.all():
    print("task", t.subject, t.due_date, t.status, t.percent_complete, t.importance, sep="|")
