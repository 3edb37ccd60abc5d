"""Accounts, teams, memberships, invitations, API keys, and the sender of a request.

`caller.caller_of(request)` is the one place that resolves a request's actor; the API, the pages and the admin use it.
Services here write teams, members, invitations, keys and presets, each with its audit entry; `selectors` reads them.
Every package may import the `Actor`; this package imports `jobs.audit`, `jobs.quota` and the models.
"""
