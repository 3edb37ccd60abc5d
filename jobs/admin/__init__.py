"""The Django admin for operators and auditors. Forms and services record changes in the audit trail."""

from . import accounts, audit, failures, jobs, keys, models, teams, watching, webhooks

__all__ = ["accounts", "audit", "failures", "jobs", "keys", "models", "teams", "watching", "webhooks"]
