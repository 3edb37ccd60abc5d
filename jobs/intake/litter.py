"""Recognize files that desktop systems and network drives add to zips and folders."""

from __future__ import annotations

from pathlib import PurePosixPath

_FILES = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "iconcache.db", "folder.htt"}
_FOLDERS = {"__macosx", "$recycle.bin", "system volume information", "@eadir", "lost+found", "found.000"}


def is_litter(path: str) -> bool:
    """Return whether a path in a zip or folder is hidden, or whether a desktop system has added it."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not parts:
        return False
    *folders, name = (part.lower() for part in parts)
    is_hidden = any(part.startswith(".") and part not in (".", "..") for part in (*folders, name))
    return is_hidden or name in _FILES or name.startswith("~$") or any(folder in _FOLDERS for folder in folders)
