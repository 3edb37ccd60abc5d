"""DashScope-compatible API: signed grants to upload a file without an API key, in the form that object stores use.

A grant permits one upload directory, for a short time, in the name of the key to which it was issued.
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
    """The form fields of an upload: `policy` (base64 JSON), its `signature`, and the `directory` for the file."""

    policy: str
    signature: str
    directory: str


def grant_issue(*, key: ApiKey) -> UploadGrant:
    """Return a grant that is valid for GRANT_TTL_S seconds, to upload into a new directory for the key's team."""
    directory = f"uploads/{uuid.uuid4()}"
    expiration = timezone.now() + dt.timedelta(seconds=GRANT_TTL_S)
    terms = {"expiration": expiration.isoformat(), "key": key.public_id, "directory": directory}
    policy = base64.b64encode(json.dumps(terms).encode()).decode()
    return UploadGrant(policy, _signature(policy), directory)


def granted_key(*, policy: str, signature: str, name: str) -> ApiKey:
    """Return the API key of the grant with which the file `name` is uploaded.

    policy, signature: the fields of the grant. Raise PermissionDenied for an invalid or expired grant, a revoked key or
    a name outside the granted directory, and ScopeMissing for a key without the scope `submit`.
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
    """Return the id of the upload with this granted name. The id is computed from the name (UUID version 5)."""
    return uuid.uuid5(_NAMESPACE, name)


def _signature(policy: str) -> str:
    return signature_of(policy, salt=_SALT)
