"""Check which optional packages are installed."""

from __future__ import annotations

from importlib.util import find_spec


def is_installed(module: str) -> bool:
    """Return True if a module, such as `a.b`, can be imported; its parent packages are imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
