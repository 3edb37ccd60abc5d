"""Stage 3, state: the database is the truth about every job."""

from .artifact import Artifact
from .audit import Action, AuditEntry, AuditHead
from .deletion import PendingDeletion
from .invitation import Invitation
from .job import TERMINAL, Job, JobImage, Status
from .key import ApiKey, Scope
from .model_version import ModelVersion
from .preset import Preset
from .quota import Quota
from .recipe import BackgroundPicture, RecipeVersion
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
    "BackgroundPicture",
    "Invitation",
    "Job",
    "JobImage",
    "Membership",
    "ModelVersion",
    "PendingDeletion",
    "Preset",
    "Quota",
    "RecipeVersion",
    "Scope",
    "Status",
    "Team",
    "Upload",
    "UsageEntry",
    "UsagePeriod",
    "Webhook",
    "WebhookDelivery",
]
