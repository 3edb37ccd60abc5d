"""The admin for operators and auditors. It changes data only through services, so that every change is audited."""

from . import accounts, audit, failures, jobs, keys, models, teams, watching, webhooks

__all__ = ["accounts", "audit", "failures", "jobs", "keys", "models", "teams", "watching", "webhooks"]
