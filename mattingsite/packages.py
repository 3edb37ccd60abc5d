"""Check for installed optional packages."""

from __future__ import annotations

from importlib.util import find_spec


def is_installed(module: str) -> bool:
    """Return whether a module, such as `a.b`, can be imported.

    The module's parent packages are imported.
    """
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
