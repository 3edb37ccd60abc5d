"""The options of the subcommands: the API's options, and the options of rembg's command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}  # of result files, by format
# rembg's parameters of its own edge refinement; the site's refinement has no parameters.
_WITHOUT_EFFECT = {"af": "-af", "ab": "-ab", "ae": "-ae", "model": "-m"}
_PLAIN = ("format", "background", "threshold", "crop", "refine", "decontaminate", "recipe", "quality")
# The effect of rembg's post-processing: cut alpha at one half, and smooth the edge.
_POST_PROCESSED = {"alpha_mode": "binary", "threshold": 25, "feathering": True}


class OptionsInvalid(Exception):
    """Raised for an option that cannot be sent. The message gives the reason."""


def options_add(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of a subcommand."""
    parser.add_argument("--format", choices=[*SUFFIXES], default=None)
    parser.add_argument("--background", default=None, metavar="COLOUR")
    parser.add_argument("--threshold", type=int, default=None)
    parser.add_argument("--crop", action="store_true", default=None)
    parser.add_argument("--recipe", default=None, metavar="NAME", help="finish each picture, such as amazon-main")
    parser.add_argument("--quality", choices=("fast", "fine", "auto"), default=None)
    habits = parser.add_argument_group("as in rembg")
    habits.add_argument("-a", "--refine", "--alpha-matting", action="store_true", default=None)
    habits.add_argument("-om", "--mask", "--only-mask", action="store_true", help="only the mask")
    habits.add_argument("-ppm", "--post-process-mask", action="store_true", help="cut alpha at one half and smooth it")
    habits.add_argument("-dc", "--decontaminate", action="store_true", default=None)
    habits.add_argument("-vm", "--vitmatte", action="store_true", help="the finest edge: quality auto")
    habits.add_argument("-bgc", "--bgcolor", type=_level, nargs=4, default=None, metavar=("R", "G", "B", "A"))
    habits.add_argument("-x", "--extras", default="", metavar="JSON", help='"sam_prompt" with rectangles and points')
    habits.add_argument("-m", "--model", default=None, help="without effect: the site has its model, see --quality")
    for name, long in (("af", "foreground-threshold"), ("ab", "background-threshold"), ("ae", "erode-size")):
        habits.add_argument(
            f"-{name}", f"--alpha-matting-{long}", dest=name, type=int, default=None, help="without effect"
        )


def options_of(chosen: argparse.Namespace, note: Callable[[str], object]) -> dict[str, Any]:
    """Return the chosen options with their names in the API; options that were not given are left out.

    note: called with a message for each option without effect.

    Raise OptionsInvalid for an option that cannot be sent.
    """
    for name, flag in _WITHOUT_EFFECT.items():
        if getattr(chosen, name) is not None:
            note(f"{flag} has no effect here.")
    options = {name: getattr(chosen, name) for name in _PLAIN}
    if chosen.vitmatte and not chosen.quality:
        options["quality"] = "auto"
    if chosen.post_process_mask:
        options |= _POST_PROCESSED | ({} if chosen.threshold is None else {"threshold": chosen.threshold})
    if chosen.mask:
        options["outputs"] = ["mask"]
    if chosen.bgcolor is not None:
        options["background"] = _background(chosen.bgcolor)
    options |= _prompts(chosen.extras)
    return {name: value for name, value in options.items() if value is not None}


def _level(text: str) -> int:
    level = int(text)
    if not 0 <= level <= 255:
        raise ValueError
    return level


def _background(levels: list[int]) -> str | None:
    *colour, alpha = levels
    if alpha not in (0, 255):
        raise OptionsInvalid("-bgc: the last number is 255 for a colour or 0 for none")
    return "#{:02x}{:02x}{:02x}".format(*colour) if alpha else None


def _prompts(extras: str) -> dict[str, Any]:
    """Return the boxes and points in the JSON of rembg's option `--extras`, as options of the API.

    Other entries are ignored. Raise OptionsInvalid for invalid JSON.
    """
    try:
        prompts = json.loads(extras or "{}").get("sam_prompt", [])
        boxes = [prompt["data"] for prompt in prompts if prompt["type"] == "rectangle"]
        points = [[*prompt["data"], int(prompt["label"] != 0)] for prompt in prompts if prompt["type"] == "point"]
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise OptionsInvalid("-x: a JSON object with a list of sam_prompt") from error
    found: dict[str, Any] = {"boxes": boxes} if boxes else {}
    if points:
        found["points"] = points
    return {**found, "method": "boxes" if boxes else "points"} if found else {}
