"""Test of a Python client that openapi-python-client generates from the OpenAPI document.

The client uploads a photo and reads the job.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import Stack

pytestmark = pytest.mark.e2e
PROGRAM = """
import io, json, sys
from generated import AuthenticatedClient
from generated.api.native import account_get, jobs_get, jobs_submit, uploads_create
from generated.models import JobFormRequest, JobJsonRequest, UploadRequestRequest
from generated.types import File

url, key, photo = sys.argv[1:]

def file():
    return File(payload=io.BytesIO(open(photo, "rb").read()), file_name="photo.jpg", mime_type="image/jpeg")

with AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True) as client:
    form = JobFormRequest(image=[file(), file()], threshold=20, outputs="cutout,mask")
    submitted = jobs_submit.sync(client=client, body=form, wait=60, idempotency_key="generated")
    job = jobs_get.sync(submitted.id, client=client)
    upload = uploads_create.sync(client=client, body=UploadRequestRequest(image=file()))
    again = jobs_submit.sync(client=client, body=JobJsonRequest(upload=[upload.id], crop=True), wait=60)
    refused = jobs_submit.sync(client=client, body=JobJsonRequest(image_base64=["eA=="]))
    print(json.dumps({
        "states": [job.status, again.status], "pictures": job.images_total, "threshold": job.options["threshold"],
        "kinds": sorted({one.kind for image in job.images for one in image.files}),
        "scopes": account_get.sync(client=client).key.scopes, "refused": [refused.status, refused.code, refused.field],
    }))
"""


def test_the_generated_client_uploads_a_photo(live_stack: Stack, tmp_path: Path, jpeg_bytes: bytes) -> None:
    _, key = live_stack.create_key(team="Generated", scopes=("read", "submit"))
    (tmp_path / "photo.jpg").write_bytes(jpeg_bytes)
    (tmp_path / "program.py").write_text(PROGRAM)
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    generate += ["--url", f"{live_stack.base_url}/openapi.json", "--output-path", str(tmp_path / "generated")]

    generated = subprocess.run(generate, capture_output=True, text=True, timeout=180, check=False)
    done = subprocess.run(
        [sys.executable, "program.py", live_stack.base_url, key, "photo.jpg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert generated.returncode == 0, generated.stdout + generated.stderr
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {"cutout", "mask"} <= set(told.pop("kinds"))
    assert told == {
        "states": ["succeeded", "succeeded"],
        "pictures": 2,
        "threshold": 20,
        "scopes": ["read", "submit"],
        "refused": [422, "image_unreadable", "image_base64"],
    }
