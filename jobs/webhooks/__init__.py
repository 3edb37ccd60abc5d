"""Webhooks of teams and callbacks of jobs: receivers, messages, signatures and delivery.

A webhook is a URL of a team that receives messages about its jobs. A callback is a URL that one job names in its
request.
- `endpoints` manages the URLs of a team, `outbox` writes messages, `payload` builds them, `signing` signs them, and
  `delivery` sends them. Workers without a model send a message until the receiver accepts it or no attempt remains.
- Used by: `jobs.work` (a job ends or is deleted), `jobs.quota` (alerts), and the API, pages and admin.
- May import: models, `jobs.teams`, `jobs.audit`, the HTTP client of `jobs.intake` (which rejects forbidden hosts), and
  the queue and leases of `jobs.work`. An API dialect (an emulated vendor API) registers the payload of its callbacks
  with `payload.callback_payload_register`.
"""
