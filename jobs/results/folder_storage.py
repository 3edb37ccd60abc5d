"""Storage in a local folder. A file is written completely or not at all, and some disk space stays free."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

# The end of a temporary file's name; `manage.py reconcile` finds the files that killed processes leave.
UNFINISHED = ".part"


class FolderStorage(FileSystemStorage):
    """File storage that writes a file under a temporary name first, so that no partial file remains after a failure.

    A file that would leave less than MATTING_DISK_RESERVE_BYTES free is rejected with OSError (ENOSPC), because the
    database and deletions need disk space.
    """

    def _save(self, name: str, content: File[Any]) -> str:
        _require_room(Path(self.base_location), content.size or 0)
        unfinished = f"{name}.{uuid.uuid4().hex}{UNFINISHED}"
        try:
            written = super()._save(unfinished, content)  # type: ignore[misc]
            os.replace(self.path(written), self.path(name))
        except BaseException:
            with suppress(OSError):
                self.delete(unfinished)
            raise
        return name


def _require_room(folder: Path, size: int) -> None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if shutil.disk_usage(existing).free - size < settings.MATTING_DISK_RESERVE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
