"""`manage.py fetch_weights NAME` downloads a public checkpoint. Without NAME it lists the public checkpoints."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from jobs.inference.capabilities import roles_of
from segmentation import checkpoints
from segmentation.engines.manifest import Manifest
from segmentation.errors import WeightsInvalid
from segmentation.npm_package import DownloadFailed


class Command(BaseCommand):
    help = "List the public checkpoints, or download one into the weights folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the checkpoint to download; without it, all are listed")
        parser.add_argument("--into", default=settings.MATTING_WEIGHTS_DIR, help="folder (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        known = checkpoints.public_checkpoints()
        name = options["name"]
        if name is None:
            for manifest in known.values():
                self.stdout.write(_line(manifest))
            return
        if name not in known:
            raise CommandError(f"{name} is not a known checkpoint; these are: {', '.join(known)}")
        if known[name].non_commercial:
            self.stderr.write(
                self.style.WARNING(f"{name} is licensed {known[name].licence}: commercial use is not allowed.")
            )
        if known[name].terms:
            self.stderr.write(self.style.WARNING(known[name].terms))
        self._fetch(known[name], options["into"])

    def _fetch(self, manifest: Manifest, folder: str) -> None:
        with tqdm(desc=manifest.name, unit="B", unit_scale=True, unit_divisor=1024, file=self.stderr) as bar:

            def show(have: int, total: int | None) -> None:
                bar.total = total
                bar.update(have - bar.n)

            try:
                path = checkpoints.fetch_checkpoint(manifest.name, settings.BASE_DIR / folder, progress=show)
            except (DownloadFailed, WeightsInvalid, OSError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"{path} ({manifest.licence}). To use it for {' and '.join(roles_of(manifest))}, activate it on the Models "
            "page of the admin."
        )


def _line(manifest: Manifest) -> str:
    warning = ", not for commercial use" if manifest.non_commercial else ""
    return f"{manifest.name:22} {manifest.licence:30} {manifest.size:>5} px  {manifest.note}{warning}"
