"""Webhooks of teams and callbacks of jobs: receivers, messages, signatures and delivery.

- `endpoints` manages the URLs of a team, `outbox` writes messages, `payload` builds them, `signing` signs them, and
  `delivery` sends them in a worker without a model until the receiver accepts them or the attempts are used up.
- Callers: `jobs.work` (a job ends or is deleted), `jobs.quota` (alerts), and the API, pages and admin.
- May use: models, `jobs.teams`, `jobs.audit`, the guarded client of `jobs.intake`, and the queue and leases of
  `jobs.work`. A dialect registers the payload of its callbacks with `payload.callback_payload_register`.
"""
