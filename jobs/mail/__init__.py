"""Outgoing mail: requests write mail to an outbox in the database, and a worker process sends it.

`backend.Outbox` is Django's EMAIL_BACKEND, so all libraries write to the outbox; `outbox` sends and retries. Each
package may send mail through `django.core.mail`; only workers and the upkeep import this package.
"""
