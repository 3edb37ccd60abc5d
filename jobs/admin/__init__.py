"""The admin for operators and auditors. It changes data through services alone, so that every change is audited."""

from . import accounts, audit, failures, jobs, keys, models, teams, webhooks

__all__ = ["accounts", "audit", "failures", "jobs", "keys", "models", "teams", "webhooks"]
