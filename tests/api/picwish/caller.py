"""Helpers that act as a client of the PicWish-compatible segmentation task: submit, poll, and open the result."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests.cast import Person

LONG, VENDOR = "/task/pic/segmentation", "/api/tasks/visual/segmentation"
POLLS = ("/task/", f"{LONG}/", f"{VENDOR}/")


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def submit(person: Person, path: str = LONG, **fields: Any):
    return person.api().post(path, fields)


def poll(person: Person, task_id: str, path: str = "/task/") -> dict[str, Any]:
    return person.api().get(path + task_id).json()["data"]


def opened(url: str) -> Image.Image:
    answer = Client().get(url.removeprefix("http://testserver"))
    assert answer.status_code == 200
    return Image.open(io.BytesIO(b"".join(answer.streaming_content)))
