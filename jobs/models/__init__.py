"""The database state of the site. Services write these models, selectors read them; Redis only carries ids."""

from .artifact import Artifact
from .audit import Action, AuditEntry, AuditHead
from .bundle import Bundle
from .deletion import PendingDeletion
from .invitation import Invitation
from .job import TERMINAL, FailedPicture, Job, JobImage, Status
from .key import ApiKey, Scope
from .lease import Leased
from .model_version import ModelVersion
from .preset import Preset
from .quota import Quota
from .team import Membership, Team
from .upload import Upload
from .usage import UsageEntry, UsagePeriod
from .webhook import Webhook, WebhookDelivery

__all__ = [
    "TERMINAL",
    "Action",
    "ApiKey",
    "Artifact",
    "AuditEntry",
    "AuditHead",
    "Bundle",
    "FailedPicture",
    "Invitation",
    "Job",
    "JobImage",
    "Leased",
    "Membership",
    "ModelVersion",
    "PendingDeletion",
    "Preset",
    "Quota",
    "Scope",
    "Status",
    "Team",
    "Upload",
    "UsageEntry",
    "UsagePeriod",
    "Webhook",
    "WebhookDelivery",
]
