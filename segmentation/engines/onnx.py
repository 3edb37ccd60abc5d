"""Engine for public networks, as `.onnx` files, that return only the alpha of the picture's subject.

Examples are U²-Net (Qin et al. 2020), IS-Net (Qin et al. 2022), BiRefNet (Zheng et al. 2024) and MODNet (Ke et al.
2022). A network's manifest describes how its input is prepared and how its output is used, so the same code runs all of
them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.engines.cropping import inside, pasted, surroundings
from segmentation.engines.looking import Kept, digest
from segmentation.engines.manifest import Manifest
from segmentation.engines.preparation import Framed, framed, sigmoid, stretched
from segmentation.engines.session import GuardedSession
from segmentation.errors import InferenceFailed
from segmentation.options import Box, Point

KEPT_ALPHAS = 4  # 4 MB each at 1024 px; a request with clicks repeats the run of the request before


class SalientEngine:
    """Engine for networks of the manifest family SALIENT, which find one main subject and cannot separate people."""

    takes_points = False

    def __init__(self, session: GuardedSession, manifest: Manifest, version: str) -> None:
        self.name, self.version, self.runtime = manifest.name, version, session.runtime
        self._session, self._manifest = session, manifest
        self._output = session.index_of(manifest.output)
        self._alphas: Kept[np.ndarray] = Kept(KEPT_ALPHAS)

    def auto(self, rgb: np.ndarray) -> Matte:
        """Return the subject's matte, at the resolution of the network's output."""
        return self._matte(self._alpha(rgb))

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        """Return one matte per box. The alpha is 0 in cells that the box does not touch.

        The network does not take boxes as input, so it runs on the part of the picture around each box.
        """
        height, width = rgb.shape[:2]
        mattes = []
        for box in boxes:
            box = box.clipped(width, height)
            view = surroundings(box, width, height, self._manifest.box_margin)
            found = self._alpha(rgb[view.top : view.bottom, view.left : view.right])
            mattes.append(self._matte(inside(pasted(found, view, width, height), box, width, height)))
        return mattes

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        raise InferenceFailed(f"The model {self.name} does not take points.")

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        raise InferenceFailed(f"The model {self.name} does not tell people apart.")

    def _matte(self, alpha: np.ndarray) -> Matte:
        return Matte(alpha, alpha if self._manifest.people_only else None)

    def _alpha(self, rgb: np.ndarray) -> np.ndarray:
        """Return the alpha of a picture, (h, w) float32, read-only, and cache it for later calls."""
        frame = framed(rgb, self._manifest)
        key = digest(frame.planes) + f"{frame.width}x{frame.height}".encode()
        alpha = self._alphas.get(key)
        if alpha is None:
            alpha = self._run(frame)
            alpha.setflags(write=False)
            self._alphas.put(key, alpha)
        return alpha

    def _run(self, frame: Framed) -> np.ndarray:
        planes = frame.planes[None] if self._manifest.batched else frame.planes
        alpha = np.squeeze(self._session.run(planes)[self._output])
        if alpha.ndim != 2:
            raise InferenceFailed(f"The model {self.name} answered with shape {alpha.shape}, not with one map.")
        alpha = alpha.astype(np.float32)
        if self._manifest.activation == "sigmoid":
            alpha = sigmoid(alpha)
        if frame.width < self._manifest.size or frame.height < self._manifest.size:  # the rest is padding
            rows = max(1, round(alpha.shape[0] * frame.height / self._manifest.size))
            columns = max(1, round(alpha.shape[1] * frame.width / self._manifest.size))
            alpha = alpha[:rows, :columns]
        if self._manifest.stretch:
            alpha = stretched(alpha)
        return np.clip(alpha, 0.0, 1.0)
