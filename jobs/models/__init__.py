"""Stage 3, state: the database is the truth about every job."""

from .artifact import Artifact
from .job import TERMINAL, Job, JobImage, Status
from .key import ApiKey, Scope
from .model_version import ModelVersion
from .team import Membership, Team

__all__ = [
    "TERMINAL",
    "ApiKey",
    "Artifact",
    "Job",
    "JobImage",
    "Membership",
    "ModelVersion",
    "Scope",
    "Status",
    "Team",
]
