"""DashScope-compatible API: issue and check signed grants. A client with a grant can upload a file without an API key.

A grant is valid for a short time, for one upload directory and for the team of one API key. Its form fields have the
names that object stores use.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from dataclasses import dataclass

from django.utils import timezone

from jobs.errors import PermissionDenied, ScopeMissing
from jobs.models import ApiKey, Scope
from jobs.signatures import is_signature_of, signature_of
from jobs.teams.selectors import key_by_public_id

GRANT_TTL_S = 300
_SALT = "keyline.upload-grant"
_NAMESPACE = uuid.UUID("5b0c3a52-6f0e-4a57-9d0b-3f1f1c0d5a61")


@dataclass(frozen=True, slots=True)
class UploadGrant:
    """A signed permission to upload one file.

    policy: JSON as base64, with the expiry, the API key's id and the directory.
    signature: the signature of the policy.
    directory: the directory for the uploaded file.
    """

    policy: str
    signature: str
    directory: str


def grant_issue(*, key: ApiKey) -> UploadGrant:
    """Return a grant to upload a file into a new directory for the key's team. It is valid for GRANT_TTL_S seconds."""
    directory = f"uploads/{uuid.uuid4()}"
    expiration = timezone.now() + dt.timedelta(seconds=GRANT_TTL_S)
    terms = {"expiration": expiration.isoformat(), "key": key.public_id, "directory": directory}
    policy = base64.b64encode(json.dumps(terms).encode()).decode()
    return UploadGrant(policy, _signature(policy), directory)


def granted_key(*, policy: str, signature: str, name: str) -> ApiKey:
    """Check the grant of an upload, and return the API key for which the grant was issued.

    policy, signature: the form fields of the grant.
    name: the name of the uploaded file, with its directory.

    Raise PermissionDenied if the grant is invalid or expired, if the key has been revoked, or if the name is outside
    the granted directory. Raise ScopeMissing if the key does not have the scope `submit`.
    """
    if not is_signature_of(policy, signature, salt=_SALT):
        raise PermissionDenied("The upload policy's signature is not valid.")
    terms = json.loads(base64.b64decode(policy))
    if dt.datetime.fromisoformat(terms["expiration"]) <= timezone.now():
        raise PermissionDenied("The upload policy has expired.")
    directory, _, file_name = name.rpartition("/")
    if directory != terms["directory"] or not file_name:
        raise PermissionDenied("The upload policy is for another directory.")
    key = key_by_public_id(terms["key"])
    if key is None or not key.is_active:
        raise PermissionDenied("The key of this upload policy has been revoked.")
    if not key.has_scope(Scope.SUBMIT):
        raise ScopeMissing(Scope.SUBMIT)
    return key


def upload_id_of(name: str) -> uuid.UUID:
    """Return the id of the upload with this name. The id is computed from the name (UUID version 5)."""
    return uuid.uuid5(_NAMESPACE, name)


def _signature(policy: str) -> str:
    return signature_of(policy, salt=_SALT)
