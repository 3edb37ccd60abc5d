"""Stage 9, rendering for operators and auditors: the admin, which changes things through services alone."""

from . import accounts, audit, jobs, keys, models, teams, webhooks

__all__ = ["accounts", "audit", "jobs", "keys", "models", "teams", "webhooks"]
