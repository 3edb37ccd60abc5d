"""Helpers that act as a client of the UNet matting API's batch: submit a folder of the server, and poll the task."""

from __future__ import annotations

from typing import Any

from tests.cast import Person

URL = "/api/matting/batch"
TASK = "/api/matting/task/"


def submit(person: Person, **fields: Any):
    body = {"input_dir": "/root/inputs/", "output_dir": "/root/outputs/"} | fields
    return person.api().post(URL, body, content_type="application/json")


def task(person: Person, task_id: str) -> dict[str, Any]:
    return person.api().get(TASK + task_id).json()
