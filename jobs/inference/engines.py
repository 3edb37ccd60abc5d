"""The inference engines (loaded models) of this worker process, one for each role and tier.

All engines are in one pool. Only workers and commands import this module.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.inference.built_in import built_in_path, click_path
from jobs.inference.capabilities import licence_needs_acceptance, roles_of
from jobs.inference.escalation import Escalation
from jobs.inference.files import digest_of, weights_fetch, weights_locate, weights_publish
from jobs.inference.hosts import DIGITS, host_name, other_host_can_load
from jobs.inference.measuring import Measuring, cache_dir, model_threads
from jobs.inference.memory import available_bytes, is_out_of_memory, rss_bytes
from jobs.inference.pool import Pool, Weights
from jobs.inference.routing import EngineSource, RoutedEngine
from jobs.inference.selectors import active_versions, pending_versions
from jobs.models import JobImage, ModelVersion, Role, Tier
from jobs.work.faults import WorkerUnfit
from segmentation.engines.base import Engine
from segmentation.engines.manifest import BUILT_IN_SUFFIXES, manifest_path
from segmentation.engines.registry import (
    load_engine,
    read_manifest,
)
from segmentation.errors import MattingError, WeightsInvalid
from segmentation.options import Quality
from segmentation.runtimes import Runtime

logger = logging.getLogger(__name__)

_MEASURE_AFTER_S = 60.0  # seconds after this worker's start; the start has priority
_TOO_LARGE_FOR_S = 120.0  # seconds until a worker tries again to load a model that did not fit into memory
_MODELS_SHARE = 0.5  # the share of the memory for the models of all workers, if no setting defines it


class HostLacksWeights(Exception):
    """Raised when this host cannot load a model but another host can. The other host must then process the picture."""


class Engines(EngineSource):
    """The inference engines (loaded models) of this worker. `refresh` reads the active models before each picture."""

    def __init__(self, pool: Pool, escalation: Escalation) -> None:
        self.pool, self.escalation = pool, escalation
        self._versions: dict[tuple[Role, Tier], ModelVersion] = {}
        self._proven: set[Weights] = set()  # loaded at least once
        self._failed: dict[Weights, str] = {}  # the reason of each
        self._too_large: dict[Weights, float] = {}  # the time (monotonic) from which each is tried again
        self._lacks: dict[tuple[Role, Tier], str] = {}
        self._last: dict[Role, Weights] = {}
        self.missing: set[str] = set()

    def refresh(self) -> None:
        """Read from the database which models are active.

        If the database cannot be reached, keep the values of the last call.
        """
        try:
            self._versions = active_versions()
        except DatabaseError:  # also before the first migration, when commands run
            logger.warning("the active models cannot be read; those read last stay")

    def engine(self, role: Role, tier: Tier) -> Engine | None:
        """Return the engine for a role and tier, or None if no model can be used.

        If the active model cannot be loaded here, `fast` uses the previous model or the built-in model, and the other
        tiers return None. But if another host can load the model, raise HostLacksWeights. This error is not raised if
        the reason is a lack of memory.
        """
        self._lacks.pop((role, tier), None)
        version = self._versions.get((role, tier))
        if version is None:
            if tier is not Tier.FAST:
                return None
            self._answers_with(role, built_in(role))
            return self._get(built_in(role))
        path = weights_fetch(version)
        weights = None if path is None else Weights(path, version.sha256)
        engine = None if weights is None else self._loaded(weights, role)
        if weights is None or engine is None:
            self.missing.add(version.name)
            is_too_large = weights in self._too_large
            if not is_too_large:
                _leave_to_another_host(version)
            self._lacks[role, tier] = "memory" if is_too_large else "missing"
            return self._fallback(role, instead_of=weights) if tier is Tier.FAST else None
        self.missing.discard(version.name)
        if tier is Tier.FAST:
            self._answers_with(role, weights)
        return engine

    def lack(self, role: Role, tier: Tier) -> str:
        return self._lacks.get((role, tier), "")

    def _loaded(self, weights: Weights, role: Role) -> Engine | None:
        """Return the engine of a weights file and load it if needed. Return None if it cannot be loaded.

        If memory runs out, unload the other models and try once again. If the model still does not fit, try again after
        _TOO_LARGE_FOR_S seconds. A model that fails for another reason is not tried again.
        """
        if weights in self._failed or time.monotonic() < self._too_large.get(weights, 0.0):
            return None
        for _ in range(2):
            try:
                engine = self.pool.get(weights)
            except Exception as error:
                if not is_out_of_memory(error):
                    self._failed[weights] = (
                        error.message if isinstance(error, MattingError) else "It cannot be loaded there."
                    )
                    logger.exception("the model %s cannot be loaded here", weights.path.name)
                    return None
                logger.warning("memory ran out while the model %s was loaded: %s", weights.path.name, error)
                self.make_room(role)
            else:
                self._too_large.pop(weights, None)
                self._proven.add(weights)
                return engine
        self._too_large[weights] = time.monotonic() + _TOO_LARGE_FOR_S
        return None

    def _fallback(self, role: Role, *, instead_of: Weights | None) -> Engine:
        """Return the engine of the role's previous fast model. If this fails, return the engine of the built-in model.

        instead_of: the weights that cannot be loaded; None if this host does not have the file.
        """
        last = self._last.get(role)
        if last is not None and last != instead_of:
            try:
                return self.pool.get(last)
            except Exception:
                logger.exception("the previous model %s cannot be loaded here", last.path.name)
        return self._get(built_in(role))

    def _get(self, weights: Weights) -> Engine:
        """Return the engine of a model that no other model can replace.

        Raise WorkerUnfit if it cannot be loaded: this is a fault of the machine and not of the picture.
        """
        try:
            return self.pool.get(weights)
        except MemoryError:
            raise
        except Exception as error:
            raise WorkerUnfit("The model could not be loaded.") from error

    def built_in(self) -> Engine:
        return self.pool.get(built_in(Role.PROMPTS))

    def for_clicks(self) -> Engine:
        return self._get(Weights(click_path()))

    def make_room(self, role: Role) -> None:
        self.pool.unload_others(self._last.get(role, built_in(role)))

    def routed(self, image: JobImage) -> RoutedEngine:
        """Return the engine that processes a picture, according to its quality and to the model trial of its team."""
        self.refresh()
        quality = image.job.cutout_options.quality or Quality.FAST
        is_trial = image.pk.int % 100 < image.job.team.trial_percent
        return RoutedEngine(self, quality=quality, escalation=self.escalation, is_trial=is_trial)

    def warm_up(self) -> None:
        """Load the fast models before the first picture arrives.

        Raise InferenceFailed if MATTING_RUNTIME requires CUDA, but an active model is an `.onnx` file and ONNX Runtime
        cannot use CUDA.
        """
        self.refresh()
        if settings.MATTING_RUNTIME == Runtime.TORCH_CUDA:
            self._require_cuda_for_onnx()
        for role in Role:
            try:
                self.engine(role, Tier.FAST)
            except HostLacksWeights as error:
                logger.warning("%s", error)

    def _require_cuda_for_onnx(self) -> None:
        if any(Path(version.path).suffix.lower() == ".onnx" for version in self._versions.values()):
            from segmentation.engines.onnx_runtime import require_cuda

            require_cuda()

    def upkeep(self) -> None:
        """Copy the files of active models to this host, load the models of pending activations, and unload idle models.

        If a model cannot be loaded, the heartbeat reports the reason until the model is no longer pending or active.
        """
        pending, active = pending_versions(), list(active_versions().values())
        for version in active:
            weights_fetch(version)
        for version in pending:
            path = weights_fetch(version)
            if path is not None and (weights := Weights(path, version.sha256)) not in self._proven:
                self._loaded(weights, Role(version.role))
        wanted = {version.sha256 for version in [*pending, *active]}
        for weights in [weights for weights in list(self._failed) if weights.sha256 not in wanted]:
            self._failed.pop(weights, None)
        self.pool.unload_idle()

    def describe(self) -> dict[str, object]:
        """Return the values for the heartbeat: the loaded models, the weights on this host, and the missing models.

        `loadable`: the weights that this worker has loaded at least once.
        `failed`: a dict. Each key is a weights file that could not be loaded, and the value is the reason.
        `missing`: the names of the active models that this host does not have or cannot load.
        """
        answering = self.pool.loaded(self._last.get(Role.SUBJECT, built_in(Role.SUBJECT)))
        state: dict[str, object] = {}
        if answering is not None:
            state = {"runtime": answering.runtime, "model": answering.name, "version": answering.version}
        try:
            wanted = [*pending_versions(), *active_versions().values()]
        except DatabaseError:
            wanted = []
        present = {version.sha256[:DIGITS] for version in wanted if weights_locate(version) is not None}
        lacking = {version.name for version in wanted if version.sha256[:DIGITS] not in present and version.is_active}
        return state | {
            "host": host_name(),
            "loaded": self.pool.describe(),
            "weights": sorted(present),
            "loadable": sorted(weights.sha256[:DIGITS] for weights in list(self._proven)),
            "failed": self._failures(),
            "missing": sorted(lacking | (self.missing & {version.name for version in wanted})),
            "rss_megabytes": round(rss_bytes() / 2**20),
        }

    def _failures(self) -> dict[str, str]:
        too_large = dict.fromkeys(list(self._too_large), "It does not fit into memory.")
        return {weights.sha256[:DIGITS]: reason for weights, reason in (too_large | self._failed).items()}

    def _answers_with(self, role: Role, weights: Weights) -> None:
        self._last[role] = weights
        if role is Role.SUBJECT:
            self.pool.keep(weights)


def _leave_to_another_host(version: ModelVersion) -> None:
    """Raise HostLacksWeights if another live host can load a model that this host cannot load."""
    try:
        if not other_host_can_load(version.sha256, own=host_name()):
            return
    except (RedisError, OSError, QueueUnavailable):
        return
    raise HostLacksWeights(f"This host cannot load the model {version}.")


def engine_for(image: JobImage) -> RoutedEngine:
    """Return the engine that processes a picture. It loads each model when the model is first used."""
    return engines().routed(image)


def engine_for_command(quality: Quality) -> RoutedEngine:
    """Return an engine of this quality for pictures without a job. Management commands call this function."""
    source = engines()
    source.refresh()
    return RoutedEngine(source, quality=quality, escalation=source.escalation)


def upkeep_forever(*, every_s: float = 2.0) -> None:
    """Run the upkeep of this worker's models again and again. Call it in a separate thread.

    Copying a file can take long and must not delay the heartbeats.

    every_s: the pause between two runs, in seconds.
    """
    measuring, measure_from_s = Measuring(), time.monotonic() + _MEASURE_AFTER_S
    while True:
        try:
            close_old_connections()
            engines().upkeep()
            if time.monotonic() >= measure_from_s:
                measuring.look()
        except Exception:
            logger.exception("looking after the models failed; the next time is in %s s", every_s)
        time.sleep(every_s)


@cache
def engines() -> Engines:
    """Return the Engines object of this process. All calls return the same object.

    The function itself loads no model. Each model is loaded when a picture first needs it.
    """
    megabytes = settings.MATTING_MODEL_MEMORY_MB
    budget = megabytes * 2**20 or int(available_bytes() * _MODELS_SHARE / max(1, settings.MATTING_WORKERS))
    pool = Pool(budget_bytes=budget, idle_s=settings.MATTING_MODEL_IDLE_S, load=load)
    escalation = Escalation(
        above=settings.MATTING_AUTO_ABOVE, max_share=settings.MATTING_AUTO_SHARE, max_s=settings.MATTING_AUTO_MAX_S
    )
    return Engines(pool, escalation)


def built_in(role: Role) -> Weights:
    return Weights(built_in_path(role))


def load(weights: Weights) -> Engine:
    """Load a weights file on the configured runtime, and return its engine.

    Raise WeightsInvalid if the content of the file has changed since the activation.
    """
    engine = load_engine(weights.path, runtime=settings.MATTING_RUNTIME, cache_dir=cache_dir(), threads=model_threads())
    if weights.sha256 and not weights.sha256.startswith(engine.version):
        raise WeightsInvalid(f"The weights file {weights.path.name} has changed since it was tried.")
    logger.info("model %s %s is warm on %s", engine.name, engine.version, engine.runtime)
    return engine


def weights_tried(path: str, sha256: str = "", storage_key: str = "") -> dict[str, object]:
    """Load a file of the weights folder, run it on a test picture, and return a description of the model.

    path: the path of the file, relative to the weights folder.
    sha256, storage_key: the hash and the key of a stored copy, for a host that does not have the file. If they are
        empty, the function stores a copy for the other hosts.

    Raise WeightsInvalid if the file does not exist or cannot be used. Raise HostLacksWeights if the stored copy cannot
    be copied to this host. The active models do not change.
    """
    file: Path | None = Path(settings.MATTING_WEIGHTS_DIR) / path
    if storage_key:
        file = weights_fetch(ModelVersion(path=path, sha256=sha256, storage_key=storage_key))
        if file is None:
            raise HostLacksWeights(f"This host cannot copy the weights file {Path(path).name}.")
    if file is None or not file.is_file():
        raise WeightsInvalid(f"The weights file {Path(path).name} does not exist.")
    weights = Weights(file, digest_of(file))
    engine = engines().pool.get(weights)
    manifest = read_manifest(file)
    return {
        "name": engine.name,
        "sha256": weights.sha256,
        "architecture": type(engine).__name__,
        "roles": [str(role) for role in roles_of(manifest)],
        "licence": manifest.licence[:400],
        "needs_acceptance": licence_needs_acceptance(manifest),
        "is_own": file.suffix.lower() in BUILT_IN_SUFFIXES and not manifest_path(file).is_file(),
        "storage_key": storage_key or weights_publish(file, weights.sha256),
        "host": host_name(),
    }


def tried(path: str, sha256: str = "", storage_key: str = "") -> dict[str, object]:
    """Call `weights_tried` and return its result, or a dict with the reason of a failure.

    The dict is {"lacking": host name} if this host cannot copy the file, and {"error": message} for other errors.
    """
    try:
        return weights_tried(path, sha256, storage_key)
    except HostLacksWeights:
        return {"lacking": host_name()}
    except MattingError as error:
        return {"error": error.message}
    except Exception:
        logger.exception("the weights file %s could not be tried", path)
        return {"error": "The weights file could not be tried."}


def end_when_too_large() -> bool:
    """Stop this worker if its memory exceeds MATTING_WORKER_MAX_MB, and return whether it stops.

    The worker ends after its current picture, and its parent process starts a new worker. This is needed because
    runtimes and decoders do not release all memory after large pictures, and some of them leak memory.
    """
    limit = settings.MATTING_WORKER_MAX_MB * 2**20
    if not limit or rss_bytes() <= limit:
        return False
    logger.warning("this worker holds %d MB, more than MATTING_WORKER_MAX_MB, and is replaced", rss_bytes() // 2**20)
    os.kill(os.getpid(), signal.SIGTERM)
    return True
