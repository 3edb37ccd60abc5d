"""The audit trail: rows in a hash chain. Each row records an action with its author, time and IP address.

Rows can be added, but not changed or deleted. There is one exception: when a user or a team is erased, pseudonyms
replace the names in the rows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import json

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GENESIS = "0" * 64


class Action(models.TextChoices):
    """The kinds of events that the audit trail records."""

    SIGNED_UP = "user.signed_up", _("Signed up")
    SIGNED_IN = "user.signed_in", _("Signed in")
    SIGNED_OUT = "user.signed_out", _("Signed out")
    SIGN_IN_FAILED = "user.sign_in_failed", _("Sign-in failed")
    LOCKED_OUT = "user.locked_out", _("Locked out")
    PASSWORD_CHANGED = "user.password_changed", _("Password changed")
    EMAIL_CHANGED = "user.email_changed", _("E-mail address changed")
    FACTOR_ADDED = "user.factor_added", _("Second factor added")
    FACTOR_FAILED = "user.factor_failed", _("Second factor failed")
    FACTOR_REMOVED = "user.factor_removed", _("Second factor removed")
    TEAM_CREATED = "team.created", _("Team created")
    TEAM_CHANGED = "team.changed", _("Team changed")
    MEMBER_INVITED = "member.invited", _("Member invited")
    INVITATION_REVOKED = "invitation.revoked", _("Invitation revoked")
    MEMBER_JOINED = "member.joined", _("Member joined")
    ROLE_CHANGED = "member.role_changed", _("Role changed")
    MEMBER_REMOVED = "member.removed", _("Member removed")
    KEY_CREATED = "key.created", _("Key created")
    KEY_FIRST_USED = "key.first_used", _("Key first used")
    KEY_REVOKED = "key.revoked", _("Key revoked")
    QUOTA_CHANGED = "quota.changed", _("Quota changed")
    USER_ERASED = "user.erased", _("User erased")
    USER_EXPORTED = "user.exported", _("Data of a user exported")
    TEAM_ERASED = "team.erased", _("Team erased")
    USAGE_ERASED = "usage.erased", _("Usage of a team erased")
    JOB_SUBMITTED = "job.submitted", _("Job submitted")
    JOB_CANCELED = "job.canceled", _("Job cancelled")
    JOB_RETRIED = "job.retried", _("Job retried")
    JOB_PURGED = "job.purged", _("Job purged")
    PICTURES_DELETED = "job.pictures_deleted", _("Pictures of a job deleted")
    JOB_DOWNLOADED = "job.downloaded", _("Downloaded by another")
    JOBS_EXPORTED = "jobs.exported", _("Jobs exported")
    AUDIT_EXPORTED = "audit.exported", _("Audit trail exported")
    MODEL_RELOADED = "model.reloaded", _("Model reloaded")
    MODEL_ACTIVATED = "model.activated", _("Model activated")
    MODEL_DEACTIVATED = "model.deactivated", _("Model deactivated")
    WEBHOOK_CHANGED = "webhook.changed", _("Webhook changed")
    RECIPE_CHANGED = "recipe.changed", _("Recipe changed")
    ADMIN_ADDED = "admin.added", _("Added in the admin")
    ADMIN_CHANGED = "admin.changed", _("Changed in the admin")
    ADMIN_DELETED = "admin.deleted", _("Deleted in the admin")


def action_choices() -> list[tuple[str, Promise]]:
    """Return the choices of the column `action`.

    Migrations refer to this function, so a new action needs no migration.
    """
    return [(action.value, action.label) for action in Action]


class AuditEntry(models.Model):
    """One recorded event. Names and ids are stored as plain values, so they remain when the objects are deleted.

    number: consecutive numbers without gaps.
    hash: the SHA-256 of `previous_hash` and the content of this entry.

    Database triggers reject changes and deletions of a row (migrations 0002, 0006 and 0019).
    """

    Action = Action

    number = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    action = models.CharField(_("what"), max_length=24, choices=action_choices)
    actor_name = models.CharField(_("who"), max_length=160)
    user_id = models.BigIntegerField(_("user id"), null=True, blank=True)
    key_id = models.CharField(_("key"), max_length=32, blank=True, help_text=_("The key's public id."))
    team_id = models.UUIDField(_("team id"), null=True, blank=True)
    team_name = models.CharField(_("team"), max_length=120, blank=True)
    address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    object_type = models.CharField(_("kind of object"), max_length=40, blank=True)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    object_name = models.CharField(_("object"), max_length=255, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    previous_hash = models.CharField(_("previous hash"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-number"]
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
        """Return the values from which the hash is computed, as plain JSON types."""
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
        """Compute the hash (SHA-256, hex) of this entry.

        The hashed text is the previous hash, a line break, and the content as JSON with sorted keys.
        """
        text = json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(f"{self.previous_hash}\n{text}".encode()).hexdigest()


def _canonical(address: str | None) -> str | None:
    """Return an IP address in its canonical form, because a database may return an IPv6 address in another form."""
    try:
        return str(ipaddress.ip_address(address)) if address else address
    except ValueError:
        return address


class AuditHead(models.Model):
    """The number and the hash of the newest entry, in a single row.

    A process locks this row before it appends an entry. The row also shows whether entries at the end were deleted.
    """

    PK = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=PK)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        verbose_name = "head of the audit trail"

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class AuditErasure(models.Model):
    """The permission to replace names in audit entries. Database triggers allow the change while a row exists.

    Only `jobs.audit.redaction` creates and deletes the row.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)

    def __str__(self) -> str:
        return str(self.pk)
