"""Accounts, teams, memberships, invitations, API keys, and the sender of a request.

The API, the pages and the admin use `caller.caller_of(request)` to find a request's actor. Services here write teams,
members, invitations, keys and presets, each with its audit entry; `selectors` reads them. Each package may import the
`Actor`; this package imports `jobs.audit`, `jobs.quota` and the models.
"""
