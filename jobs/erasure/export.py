"""Export the data that the site stores about a user as one zip: account, teams, jobs, audit entries and files."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from jobs.audit.trail import Author, audit_append
from jobs.errors import NotFound, StorageFailed
from jobs.models import Action, ApiKey, Artifact, AuditEntry, Job, JobImage, Membership, Preset, Upload
from jobs.results import storage
from mattingsite.data_folder import FILE_MODE

_SECRET_FIELDS = {"password", "secret_hash", "data", "repeat_key", "request_hash"}


def user_export(*, author: Author, user: User, target: Path) -> dict[str, int]:
    """Write the user's data to the zip file `target`, and record the export in the audit trail.

    Only the operating-system user that runs the command can read the file. Passwords, secrets and their hashes are not
    exported.

    Return a dict with the number of exported rows of each kind. The key `missing` contains the number of files that
    could not be read. Raise FileExistsError if `target` exists.

    author: the person or program that exports the data, for the audit trail.
    """
    rows: dict[str, Iterable[models.Model]] = {
        "account": [user],
        "email_addresses": EmailAddress.objects.filter(user=user),
        "single_sign_on": SocialAccount.objects.filter(user=user),
        "second_factors": Authenticator.objects.filter(user=user),
        "memberships": Membership.objects.filter(user=user),
        "presets": Preset.objects.filter(user=user),
        "keys_created": ApiKey.objects.filter(created_by=user),
        "uploads": Upload.objects.filter(user=user),
        "jobs": Job.objects.filter(user=user),
        "pictures": JobImage.objects.filter(job__user=user),
        "files": Artifact.objects.filter(job__user=user),
        "audit": AuditEntry.objects.filter(user_id=user.pk).order_by("number"),
    }
    counts: dict[str, int] = {}
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, found in rows.items():
            listed = [_row(one) for one in found]
            counts[name] = len(listed)
            bundle.writestr(f"{name}.json", json.dumps(listed, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False))
        keys = [*rows["uploads"], *rows["files"]]
        counts["missing"] = sum(not _file_add(bundle, one.key) for one in keys)  # type: ignore[attr-defined]
    audit_append(action=Action.USER_EXPORTED, author=author, target=user)
    return counts


def _row(one: models.Model) -> dict[str, Any]:
    return {
        field.attname: field.value_from_object(one)
        for field in one._meta.concrete_fields
        if field.attname not in _SECRET_FIELDS
    }


def _file_add(bundle: zipfile.ZipFile, key: str) -> bool:
    try:
        with storage.open_file(key) as source, bundle.open(f"files/{key}", "w", force_zip64=True) as copy:
            shutil.copyfileobj(source, copy, 2**20)
    except (NotFound, StorageFailed):
        return False
    return True
