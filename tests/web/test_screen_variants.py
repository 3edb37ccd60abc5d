"""Tests of renderings at screen size: they use the stored preview if the picture is larger than the preview.

The editor shows such renderings while a user changes options.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from jobs.models import Artifact, JobImage
from tests import photos
from tests.cast import Person

pytestmark = pytest.mark.django_db


def rendering(person: Person, image: JobImage, **options: object) -> Image.Image:
    answer = person.browser().post(
        f"/api/jobs/{image.job_id}/variants", {"position": 0, **options}, content_type="application/json"
    )
    assert answer.status_code == 200
    return Image.open(io.BytesIO(b"".join(answer.streaming_content)))


@pytest.fixture
def large(alice: Person, instant_worker) -> JobImage:
    pixels = cv2.resize(photos.astronaut(), (2600, 2600))
    file = SimpleUploadedFile("large.jpg", photos.encode(pixels, "JPEG", quality=80))
    alice.browser().post(reverse("site:submit"), {"image": file})
    return JobImage.objects.get()


def test_the_stage_gets_the_previews_size_and_a_download_the_pictures(alice: Person, large: JobImage):
    preview = Artifact.objects.get(kind=Artifact.Kind.PREVIEW)

    screen = rendering(alice, large, for_screen=True)
    full = rendering(alice, large)

    assert screen.size == (preview.width, preview.height)
    assert full.size == (2600, 2600)
    small = np.asarray(full.resize(screen.size).getchannel("A"), np.int16)
    assert np.abs(small - np.asarray(screen.getchannel("A"), np.int16)).mean() < 3
