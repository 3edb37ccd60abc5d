"""The Django admin for operators and auditors. Each change is recorded in the audit trail."""

from . import accounts, audit, failures, jobs, keys, models, teams, watching, webhooks

__all__ = ["accounts", "audit", "failures", "jobs", "keys", "models", "teams", "watching", "webhooks"]
