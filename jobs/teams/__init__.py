"""Accounts, teams, memberships, invitations, keys, and who sends a request.

`caller.caller_of(request)` is the one place where a request's actor is resolved; the API, the pages and the admin all
ask it. Services here write teams, members, invitations, keys and presets, each with its audit entry; `selectors` reads
them. Every room may import the `Actor`; this room imports `jobs.audit`, `jobs.quota` and the models.
"""
