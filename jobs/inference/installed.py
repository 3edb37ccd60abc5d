"""List the weights files on this host, with the content of their manifests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from jobs.inference.built_in import built_in_path
from jobs.inference.capabilities import licence_needs_acceptance, roles_of
from jobs.inference.files import digest_of
from jobs.models import Role
from segmentation.checkpoints import public_checkpoints
from segmentation.engines.manifest import BUILT_IN_SUFFIXES, KEYLINE, Manifest, manifest_path
from segmentation.errors import WeightsInvalid

SUFFIXES = (*BUILT_IN_SUFFIXES, ".onnx")


@dataclass(frozen=True, slots=True)
class Installed:
    """A weights file on this host.

    problem: the reason why the file cannot be used; empty if it can be used. If there is a problem, only `path` and
        `bytes` are known.
    size_px: the side of the model's square input, in pixels.
    figures: pairs of the name and the value of a measurement.
    built_in_for: the roles for which the file is used without an activation.
    """

    path: str
    bytes: int
    sha256: str = ""
    name: str = ""
    licence: str = ""
    terms: str = ""
    needs_acceptance: bool = False
    roles: tuple[Role, ...] = ()
    size_px: int = 0
    note: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    built_in_for: tuple[Role, ...] = ()

    @property
    def is_built_in(self) -> bool:
        return bool(self.built_in_for)


def installed_models() -> list[Installed]:
    """List the weights files: first the built-in files outside the weights folder, then the folder's files by path."""
    folder = Path(settings.MATTING_WEIGHTS_DIR)
    built_in = _built_in_files()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    found = [_described(path, str(path.relative_to(folder)), built_in) for path in paths]
    elsewhere = [path for path in built_in if path not in paths and path.is_file()]
    return [*(_described(path, path.name, built_in) for path in elsewhere), *found]


def _built_in_files() -> dict[Path, tuple[Role, ...]]:
    """Return a dict from the path of each built-in weights file to the roles for which it is used."""
    found: dict[Path, tuple[Role, ...]] = {}
    for role in Role:
        path = built_in_path(role).resolve()
        found[path] = (*found.get(path, ()), role)
    return found


def manifest_of(path: Path) -> Manifest:
    """Return the manifest of a weights file without loading the model. Raise WeightsInvalid if the manifest is invalid.

    A file of the built-in network needs no manifest. If it has none, return a manifest with the file's name.
    """
    beside = manifest_path(path)
    if path.suffix.lower() in BUILT_IN_SUFFIXES:
        return Manifest.read(beside) if beside.exists() else Manifest(name=path.stem, family=KEYLINE)
    return Manifest.read(beside)


def _described(path: Path, relative: str, built_in: dict[Path, tuple[Role, ...]]) -> Installed:
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
        terms=manifest.terms,
        needs_acceptance=path not in built_in and licence_needs_acceptance(manifest),
        roles=roles,
        size_px=manifest.size,
        note=manifest.note,
        figures=_figures(manifest),
        built_in_for=built_in.get(path, ()),
    )


def _figures(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    """Return the measurements on the first evaluation set in the manifest, as pairs of a name and a value.

    If the manifest contains no measurements, use those of the public checkpoint with the same name.
    """
    catalogued = public_checkpoints().get(manifest.name)
    metrics = manifest.extra.get("metrics") or (catalogued.extra.get("metrics", {}) if catalogued else {})
    if not isinstance(metrics, dict):
        return ()
    for name, values in metrics.items():
        if isinstance(values, dict):
            return tuple((f"{name} {figure}", str(value)) for figure, value in values.items())
    return ()
