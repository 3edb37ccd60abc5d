"""Fast replacements for slow parts of the site: inference engines (which run a model) with known results."""

from collections.abc import Sequence

import numpy as np

from jobs.inference.escalation import Escalation
from jobs.inference.routing import EngineSource, RoutedEngine
from jobs.models import Role, Tier
from segmentation.engines.base import Engine, Instance, Matte
from segmentation.options import Box, Point, Quality

SIDE_PX = 128


class FakeEngine:
    """A fake inference engine that finds an ellipse in the middle of each picture or box, and two people side by side.

    The ellipse covers 60 % of the width and height of the picture or box, and has a soft edge of about one cell of the
    alpha. The left half of the ellipse is a person.
    size: the shape of the alphas. calls: the names of the called methods, in order.
    """

    name = "fake"
    version = "000000000000"
    runtime = "torch-cpu"
    takes_points = True

    def __init__(self, size: tuple[int, int] = (SIDE_PX, SIDE_PX)) -> None:
        self.size = size
        self.calls: list[str] = []

    def auto(self, rgb: np.ndarray) -> Matte:
        self.calls.append("auto")
        alpha = self.ellipse((0.2, 0.2, 0.8, 0.8))
        people = alpha.copy()
        people[:, self.size[1] // 2 :] = 0
        return Matte(alpha, people)

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        self.calls.append("boxes")
        height, width = rgb.shape[:2]
        mattes = []
        for box in boxes:
            margin_x, margin_y = 0.2 * (box.right - box.left), 0.2 * (box.bottom - box.top)
            left, right = (box.left + margin_x) / width, (box.right - margin_x) / width
            top, bottom = (box.top + margin_y) / height, (box.bottom - margin_y) / height
            mattes.append(Matte(self.ellipse((left, top, right, bottom))))
        return mattes

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        """Return an ellipse around the last keep point (a click on a part to keep).

        It is half as wide and half as high as the picture.
        """
        self.calls.append("points")
        height, width = rgb.shape[:2]
        kept = [(point.x / width, point.y / height) for point in points if point.keep]
        x, y = kept[-1] if kept else (0.5, 0.5)
        return Matte(self.ellipse((x - 0.25, y - 0.25, x + 0.25, y + 0.25)))

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        self.calls.append("instances")
        height, width = rgb.shape[:2]
        shares = ((0.05, 0.1, 0.5, 0.9), (0.5, 0.2, 0.95, 0.8))
        scale = np.array([width, height, width, height])
        people = []
        for share, score in zip(shares, (0.9, 0.7), strict=True):
            left, top, right, bottom = np.rint(np.array(share) * scale).astype(int).tolist()
            box = Box(left, top, max(right, left + 2), max(bottom, top + 2))
            people.append(Instance(box, score, self.ellipse(share)))
        return people

    def ellipse(self, share: tuple[float, float, float, float]) -> np.ndarray:
        """Return the alpha of an ellipse that fills a box.

        share: left, top, right and bottom of the box, as fractions of the alpha's width and height.
        """
        rows, columns = self.size
        left, top, right, bottom = share
        y = (np.arange(rows) + 0.5) / rows
        x = (np.arange(columns) + 0.5) / columns
        radius = np.hypot(
            (x[None] - (left + right) / 2) / ((right - left) / 2),
            (y[:, None] - (top + bottom) / 2) / ((bottom - top) / 2),
        )
        edge_cells = (1 - radius) * min((right - left) * columns, (bottom - top) * rows) / 2
        return np.clip(edge_cells + 0.5, 0, 1).astype(np.float32)


class OneModel(EngineSource):
    """A source of inference engines: it returns `engine` for the tier (quality) FAST, and None for other tiers."""

    def __init__(self, engine: Engine) -> None:
        self.one = engine

    def engine(self, role: Role, tier: Tier) -> Engine | None:
        return self.one if tier is Tier.FAST else None

    def built_in(self) -> Engine:
        return self.one

    def for_clicks(self) -> Engine:
        return self.one

    def lack(self, role: Role, tier: Tier) -> str:
        return ""

    def make_room(self, role: Role) -> None:
        pass


def answering(engine: Engine) -> RoutedEngine:
    """Return a routed engine, which chooses a model for each picture as in a worker. `engine` is its only model."""
    return RoutedEngine(
        OneModel(engine), quality=Quality.FAST, escalation=Escalation(above=1.0, max_share=0.0, max_s=1.0)
    )


class EmptyEngine(FakeEngine):
    """A fake inference engine that finds no subject."""

    def ellipse(self, share: tuple[float, float, float, float]) -> np.ndarray:
        return np.zeros(self.size, np.float32)

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        self.calls.append("instances")
        return []
