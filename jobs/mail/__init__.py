"""Outgoing mail: requests write it to an outbox in the database, and a worker process sends it.

`backend.Outbox` is Django's EMAIL_BACKEND, so that every library writes to the outbox; `outbox` sends and retries. Any
room may send mail through `django.core.mail`; nothing else imports this package except workers and upkeep.
"""
