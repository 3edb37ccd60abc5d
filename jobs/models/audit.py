"""The audit trail: append-only rows in a hash chain, each with an author, an action, a time and an IP address."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import json

from django.db import models

GENESIS = "0" * 64


class Action(models.TextChoices):
    """All kinds of events that are recorded."""

    SIGNED_UP = "user.signed_up", "Signed up"
    SIGNED_IN = "user.signed_in", "Signed in"
    SIGNED_OUT = "user.signed_out", "Signed out"
    SIGN_IN_FAILED = "user.sign_in_failed", "Sign-in failed"
    LOCKED_OUT = "user.locked_out", "Locked out"
    PASSWORD_CHANGED = "user.password_changed", "Password changed"
    EMAIL_CHANGED = "user.email_changed", "E-mail address changed"
    FACTOR_ADDED = "user.factor_added", "Second factor added"
    FACTOR_FAILED = "user.factor_failed", "Second factor failed"
    FACTOR_REMOVED = "user.factor_removed", "Second factor removed"
    TEAM_CREATED = "team.created", "Team created"
    TEAM_CHANGED = "team.changed", "Team changed"
    MEMBER_INVITED = "member.invited", "Member invited"
    INVITATION_REVOKED = "invitation.revoked", "Invitation revoked"
    MEMBER_JOINED = "member.joined", "Member joined"
    ROLE_CHANGED = "member.role_changed", "Role changed"
    MEMBER_REMOVED = "member.removed", "Member removed"
    KEY_CREATED = "key.created", "Key created"
    KEY_FIRST_USED = "key.first_used", "Key first used"
    KEY_REVOKED = "key.revoked", "Key revoked"
    QUOTA_CHANGED = "quota.changed", "Quota changed"
    USER_ERASED = "user.erased", "User erased"
    USER_EXPORTED = "user.exported", "Data of a user exported"
    TEAM_ERASED = "team.erased", "Team erased"
    USAGE_ERASED = "usage.erased", "Usage of a team erased"
    JOB_SUBMITTED = "job.submitted", "Job submitted"
    JOB_CANCELED = "job.canceled", "Job cancelled"
    JOB_RETRIED = "job.retried", "Job retried"
    JOB_PURGED = "job.purged", "Job purged"
    PICTURES_DELETED = "job.pictures_deleted", "Pictures of a job deleted"
    JOB_DOWNLOADED = "job.downloaded", "Downloaded by another"
    JOBS_EXPORTED = "jobs.exported", "Jobs exported"
    AUDIT_EXPORTED = "audit.exported", "Audit trail exported"
    MODEL_RELOADED = "model.reloaded", "Model reloaded"
    MODEL_ACTIVATED = "model.activated", "Model activated"
    MODEL_DEACTIVATED = "model.deactivated", "Model deactivated"
    WEBHOOK_CHANGED = "webhook.changed", "Webhook changed"
    RECIPE_CHANGED = "recipe.changed", "Recipe changed"
    ADMIN_ADDED = "admin.added", "Added in the admin"
    ADMIN_CHANGED = "admin.changed", "Changed in the admin"
    ADMIN_DELETED = "admin.deleted", "Deleted in the admin"


def action_choices() -> list[tuple[str, str]]:
    """Return the choices of the column. Migrations refer to this function, so new actions need no migration."""
    return Action.choices


class AuditEntry(models.Model):
    """One recorded event. Names and ids are plain values, so an entry remains when its objects are deleted.

    `hash` is the SHA-256 of `previous_hash` and the entry's own content; `number` has no gaps. Triggers in the
    database refuse to change or delete a row (migrations 0002, 0006 and 0019).
    """

    Action = Action

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=24, choices=action_choices)
    actor_name = models.CharField("who", max_length=160)
    user_id = models.BigIntegerField(null=True, blank=True)
    key_id = models.CharField("key", max_length=32, blank=True, help_text="The key's public id.")
    team_id = models.UUIDField(null=True, blank=True)
    team_name = models.CharField("team", max_length=120, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField("object", max_length=255, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-number"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["action", "number"], name="audit_by_action"),
            models.Index(fields=["team_id", "number"], name="audit_by_team"),
            models.Index(fields=["user_id", "number"], name="audit_by_user"),
            models.Index(fields=["object_id", "action", "number"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.actor_name} {self.get_action_display().lower()}"

    def content(self) -> dict[str, object]:
        """Return all values that the hash covers, as plain JSON."""
        return {
            "number": self.number,
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "action": self.action,
            "actor_name": self.actor_name,
            "user_id": self.user_id,
            "key_id": self.key_id,
            "team_id": str(self.team_id) if self.team_id else None,
            "team_name": self.team_name,
            "address": _canonical(self.address),
            "request_id": self.request_id,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "object_name": self.object_name,
            "before": self.before,
            "after": self.after,
        }

    def expected_hash(self) -> str:
        """Return the SHA-256 of the previous hash, a line break, and this entry's content as JSON with sorted keys."""
        text = json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(f"{self.previous_hash}\n{text}".encode()).hexdigest()


def _canonical(address: str | None) -> str | None:
    """Return an IP address in its canonical form, because databases may return IPv6 addresses in another form."""
    try:
        return str(ipaddress.ip_address(address)) if address else address
    except ValueError:
        return address


class AuditHead(models.Model):
    """The number and hash of the newest entry. Writers lock this row; it reveals missing entries at the end."""

    PK = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=PK)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        verbose_name = "head of the audit trail"

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class AuditErasure(models.Model):
    """Permit the replacement of names in audit entries while a row exists, which is only in `jobs.audit.redaction`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)

    def __str__(self) -> str:
        return str(self.pk)
