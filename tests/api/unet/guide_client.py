"""Rewritten versions of the three example clients in the vendor's guide to the UNet matting API.

They send the same requests as the original clients, with the same parsing, timeouts and retries.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

POLL_EVERY_S = 2
POLL_AT_MOST = 300


class GuideClient:
    """A client that sends the same requests as the guide's scripts. It sends a key only if it has a secret."""

    def __init__(self, base_url: str, secret: str) -> None:
        self.base_url = base_url
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.seen: list[dict[str, Any]] = []

    def single(
        self,
        image_path: Path,
        *,
        bg_color: str = "#ffffff",
        output_format: str = "png",
        save_alpha: bool = True,
        alpha_threshold: int = 15,
        edge_feathering: bool = True,
        edge_erosion: int = 2,
        accept: str = "*/*",
    ) -> dict[str, Any] | None:
        """Send one picture as a multipart form; return the response's JSON, or None for an error.

        accept: the header Accept. The other keyword arguments are fields of the form; their defaults are those of the
        guide.
        """
        form = {
            "bg_color": bg_color,
            "output_format": output_format,
            "save_alpha": str(save_alpha).lower(),
            "alpha_threshold": str(alpha_threshold),
            "edge_feathering": str(edge_feathering).lower(),
            "edge_erosion": str(edge_erosion),
        }
        with image_path.open("rb") as file:
            response = requests.post(
                f"{self.base_url}/api/matting/single",
                files={"image": file},
                data=form,
                headers=self.headers | {"Accept": accept},
                timeout=30,
            )
        return response.json() if response.status_code == 200 else None

    @retry(
        stop=stop_after_attempt(3),
        wait=wait_exponential(multiplier=1, min=2, max=10),
        retry=retry_if_exception_type((requests.exceptions.ConnectionError, requests.exceptions.Timeout)),
    )
    def single_with_patience(self, image_path: Path, **fields: Any) -> dict[str, Any] | None:
        return self.single(image_path, **fields)

    def batch(self, input_dir: str, output_dir: str, **fields: Any) -> dict[str, Any] | None:
        """Submit a folder, poll its task every two seconds, at most 300 times, and return the task's JSON.

        Return None if the submission fails, or if the task has not ended after the last poll.
        input_dir, output_dir: folders of the server. fields: values that replace the guide's values in the JSON body.
        """
        body = {
            "input_dir": input_dir,
            "output_dir": output_dir,
            "bg_color": fields.get("bg_color", "#ffffff"),
            "output_format": fields.get("output_format", "png"),
            "save_alpha": fields.get("save_alpha", True),
            "alpha_threshold": fields.get("alpha_threshold", 10),
            "edge_feathering": fields.get("edge_feathering", True),
            "edge_erosion": fields.get("edge_erosion", 1),
        }
        url = f"{self.base_url}/api/matting/batch"
        response = requests.post(url, json=body, headers=self.headers, timeout=10)
        if response.status_code != 200:
            return None
        self.seen.append(response.json())
        pause = threading.Event()
        for _ in range(POLL_AT_MOST):
            task = self._look(response.json()["task_id"])
            if task["status"] in ("completed", "failed"):
                return task
            pause.wait(POLL_EVERY_S)
        return None

    def _look(self, task_id: str) -> dict[str, Any]:
        response = requests.get(f"{self.base_url}/api/matting/task/{task_id}", headers=self.headers, timeout=5)
        self.seen.append(response.json())
        return response.json()


def decode_alpha_map(encoded: str, shape: Sequence[int]) -> np.ndarray:
    """Decode the alpha of a response (base64 of float32) as the guide does, and return it as an array of this shape."""
    return np.frombuffer(base64.b64decode(encoded), dtype=np.float32).reshape(shape)
