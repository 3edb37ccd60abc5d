"""Accounts, teams, memberships, invitations, API keys, and the sender of a request.

The API, the pages and the admin call `caller.caller_of(request)` to find the actor (the team that acts, with a user or
key) of a request. The services here write teams, members, invitations, keys and presets. Each service also writes an
audit entry, except those for presets. `selectors` reads these objects. Each package of `jobs` may import `Actor`. This
package imports `jobs.audit`, `jobs.quota` and the models.
"""
