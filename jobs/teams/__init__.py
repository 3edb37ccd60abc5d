"""Accounts, teams, memberships, invitations, API keys, and the sender of a request.

The API, the pages and the admin read the actor of a request from `caller.caller_of(request)`. The actor is the team for
which the request acts, with the user or the API key that sent the request. The services here write teams, members,
invitations, keys and presets. Changes of teams, members, invitations and keys are recorded in the audit trail.
`selectors` reads these objects. Each package of `jobs` may import `Actor`. This package imports `jobs.audit`,
`jobs.quota` and the models.
"""
