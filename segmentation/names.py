"""Hints for unknown names in requests and recipes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

_LEAST_SIMILARITY = 0.65  # with less, `file` would be taken for `refine`


def known_names_hint(name: str, known: Sequence[str], *, kind: str = "field") -> str:
    """Return a hint for a name that is not in `known`: the most similar known name, or all of them.

    kind: what the names are called, in the singular.
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=_LEAST_SIMILARITY)
    if near:
        return f"did you mean {near[0]}?"
    return f"the {kind}s are {', '.join(known)}" if known else f"there are no {kind}s"
