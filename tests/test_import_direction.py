"""Tests of the direction of imports: entry points import services and selectors, which import models.

The code that runs the neural networks does not import the site's code.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

PACKAGES = ("jobs", "segmentation", "training", "mattingsite", "webserver")
HEAVY = ("torch", "openvino", "onnxruntime")
MODEL = (
    "segmentation.pipeline",
    "segmentation.engines",
    "segmentation.network",
    "segmentation.network_file",
    "training",
    *HEAVY,
)
DOORS = ("jobs.api", "jobs.web", "jobs.admin")
ROOMS = (
    "jobs.inference",
    "jobs.teams",
    "jobs.quota",
    "jobs.audit",
    "jobs.intake",
    "jobs.work",
    "jobs.results",
    "jobs.webhooks",
    "jobs.mail",
    "jobs.erasure",
)
WORKERS_ONLY = (
    "jobs.work.tasks",
    "jobs.work.serving",
    "jobs.inference.engines",
    "jobs.inference.measuring",
    "jobs.inference.pool",
    "jobs.inference.routing",
)
SITE = ("django", "rest_framework", "redis", "rq", "django_rq", "jobs", "mattingsite")

# Modules that a part of the code must not import, anywhere in a file.
FORBIDDEN = {
    "segmentation": (*SITE, "training"),
    "training": SITE,
    "webserver": ("jobs", "mattingsite", "rest_framework", "segmentation", "training"),
    "jobs.models": (*ROOMS, *DOORS, "jobs.running", "rest_framework", *MODEL),
    **dict.fromkeys(ROOMS, (*DOORS, "jobs.running", "rest_framework")),
    **dict.fromkeys(DOORS, ("jobs.running.worker", "jobs.running.worker_child", *WORKERS_ONLY, *MODEL)),
    "jobs.api": ("jobs.web", "jobs.admin", "jobs.running.worker", "jobs.running.worker_child", *WORKERS_ONLY, *MODEL),
}
# Modules of these packages that only workers import, and that may load a model.
MAY_RUN_A_MODEL = (*WORKERS_ONLY, "jobs.running", "jobs.management")
DIALECTS = tuple(path.parent.name for path in sorted((ROOT / "jobs" / "api").glob("*/urls.py")))
KNOWS_RQ = ("jobs.work.queue", "jobs.work.serving", "jobs.work.tasks", "jobs.admin")


def _name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def modules() -> dict[str, Path]:
    """Return the paths of the project's modules by dotted name, without migrations."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {_name_of(path): path for path in paths if "migrations" not in path.parts}


def imports_of(name: str, path: Path) -> set[str]:
    """Return the dotted names of all imports of a module: for `from x import y`, both `x` and `x.y`.

    Relative imports become absolute names.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _executed(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def breaches(name: str, imported: set[str]) -> list[str]:
    """Return the imports of one module that are not allowed."""
    forbidden = [target for part, targets in FORBIDDEN.items() if _is_in(name, part) for target in targets] + ["tests"]
    if any(_is_in(name, room) for room in ROOMS) and name not in MAY_RUN_A_MODEL:
        forbidden += [*WORKERS_ONLY, *HEAVY]
    if name.startswith("jobs.api."):
        own = name.split(".")[2]
        forbidden += [f"jobs.api.{dialect}" for dialect in DIALECTS if own in DIALECTS and dialect != own]
    if not any(_is_in(name, part) for part in KNOWS_RQ):
        forbidden += ["rq", "django_rq"]
    return sorted(target for target in imported if any(_is_in(target, part) for part in forbidden))


def test_every_module_imports_only_what_lies_below_it() -> None:
    found = {name: breaches(name, imports_of(name, path)) for name, path in modules().items()}

    assert {name: targets for name, targets in found.items() if targets} == {}


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("segmentation.pipeline", "from django.conf import settings", ["django.conf", "django.conf.settings"]),
        ("segmentation.pipeline", "def f():\n    import jobs.models", ["jobs.models"]),
        ("jobs.models.job", "from ..teams import keys", ["jobs.teams", "jobs.teams.keys"]),
        ("jobs.api.native.views", "from jobs.work import tasks", ["jobs.work.tasks"]),
        ("jobs.web.views", "import rq", ["rq"]),
        ("jobs.web.views", "from jobs.teams import keys\nimport torchlight", []),
        ("training.scores", "from tests.photos import encoded", ["tests.photos", "tests.photos.encoded"]),
    ],
)
def test_a_breach_is_seen(name: str, source: str, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)

    assert breaches(name, imports_of(name, path)) == expected


def test_one_dialect_that_imports_another_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_import_direction.DIALECTS", ("native", "one", "two"))

    assert breaches("jobs.api.one.views", {"jobs.api.two.render", "jobs.api.fields"}) == ["jobs.api.two.render"]


@pytest.mark.slow
def test_the_web_process_loads_no_model_runtime() -> None:
    code = (
        "import sys, mattingsite.asgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def _executed(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes of a module that are executed, without those under `if TYPE_CHECKING:`."""
    nodes, left = [], [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            left += node.orelse
            continue
        nodes.append(node)
        left += ast.iter_child_nodes(node)
    return nodes


def _is_in(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")
