"""Stage 9, rendering for operators and auditors: the admin, which changes things through services alone."""

from . import accounts, audit, failures, jobs, keys, models, teams, webhooks

__all__ = ["accounts", "audit", "failures", "jobs", "keys", "models", "teams", "webhooks"]
