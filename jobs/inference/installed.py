"""The weights files of this host, with the content of their manifests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from jobs.inference.capabilities import licence_needs_acceptance, roles_of
from jobs.inference.files import digest_of
from jobs.models import Role
from segmentation.engines.manifest import KEYLINE, Manifest, manifest_path
from segmentation.errors import WeightsInvalid

BUILT_IN_SUFFIXES = (".safetensors", ".pth")
SUFFIXES = (*BUILT_IN_SUFFIXES, ".onnx")


@dataclass(frozen=True, slots=True)
class Installed:
    """One weights file. If it cannot be used, `problem` gives the reason, and only path and bytes are known."""

    path: str
    bytes: int
    sha256: str = ""
    name: str = ""
    licence: str = ""
    needs_acceptance: bool = False
    roles: tuple[Role, ...] = ()
    size_px: int = 0
    note: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    is_built_in: bool = False


def installed_models() -> list[Installed]:
    """Return the files of the weights folder and the built-in one, by name."""
    folder = Path(settings.MATTING_WEIGHTS_DIR)
    built_in = Path(settings.MATTING_WEIGHTS).resolve()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    found = [_described(path, str(path.relative_to(folder)), built_in) for path in paths]
    if built_in not in paths and built_in.is_file():
        found.insert(0, _described(built_in, built_in.name, built_in))
    return found


def manifest_of(path: Path) -> Manifest:
    """Return the manifest of a weights file without loading the model; raise WeightsInvalid."""
    beside = manifest_path(path)
    if path.suffix.lower() in BUILT_IN_SUFFIXES:
        return Manifest.read(beside) if beside.exists() else Manifest(name=path.stem, family=KEYLINE)
    return Manifest.read(beside)


def _described(path: Path, relative: str, built_in: Path) -> Installed:
    size = path.stat().st_size
    try:
        manifest = manifest_of(path)
    except WeightsInvalid as error:
        return Installed(path=relative, bytes=size, problem=error.message)
    if path.suffix.lower() in BUILT_IN_SUFFIXES:
        roles: tuple[Role, ...] = tuple(Role)
    else:
        roles = roles_of(manifest)
    return Installed(
        path=relative,
        bytes=size,
        sha256=digest_of(path),
        name=manifest.name,
        licence=manifest.licence,
        needs_acceptance=path != built_in and licence_needs_acceptance(manifest),
        roles=roles,
        size_px=manifest.size,
        note=manifest.note,
        figures=_figures(manifest),
        is_built_in=path == built_in,
    )


def _figures(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    """Return the measurements of the manifest's first evaluation set as text."""
    metrics = manifest.extra.get("metrics", {})
    if not isinstance(metrics, dict):
        return ()
    for name, values in metrics.items():
        if isinstance(values, dict):
            return tuple((f"{name} {figure}", str(value)) for figure, value in values.items())
    return ()
