"""Send e-mail. Requests write messages to an outbox in the database, and a worker process sends them.

`backend.Outbox` is Django's EMAIL_BACKEND, so all libraries write to the outbox. `outbox` sends the messages and
retries failed ones. Every package may send mail with `django.core.mail`. Only workers and the regular maintenance
(`jobs.running.upkeep`) import this package.
"""
