"""Database models. They define the states and the constraints of rows. Services in the other packages write the rows.

This package may import `segmentation.options`, but no other package of `jobs`.
"""

from .artifact import Artifact
from .audit import Action, AuditEntry, AuditErasure, AuditHead
from .bundle import Bundle
from .deletion import PendingDeletion
from .invitation import Invitation
from .job import TERMINAL, FailedPicture, Job, JobImage, Status
from .key import ApiKey, Scope
from .lease import Leased
from .mail import QueuedMail
from .model_version import ModelVersion, Role, Tier
from .preset import Preset
from .quota import Quota
from .recipe import BackgroundPicture, RecipeVersion
from .team import Membership, Team
from .upload import Upload
from .usage import UsageEntry, UsageErasure, UsagePeriod
from .version import Version
from .watched_folder import WatchedFolder
from .webhook import Webhook, WebhookDelivery

__all__ = [
    "TERMINAL",
    "Action",
    "ApiKey",
    "Artifact",
    "AuditEntry",
    "AuditErasure",
    "AuditHead",
    "BackgroundPicture",
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
    "QueuedMail",
    "Quota",
    "RecipeVersion",
    "Role",
    "Scope",
    "Status",
    "Team",
    "Tier",
    "Upload",
    "UsageEntry",
    "UsageErasure",
    "UsagePeriod",
    "Version",
    "WatchedFolder",
    "Webhook",
    "WebhookDelivery",
]
