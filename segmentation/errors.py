"""Root of the error tree, and its errors about pictures and models. `jobs/errors.py` adds the others."""

from __future__ import annotations

from typing import ClassVar


class MattingError(Exception):
    """Base of every expected error: a stable `code`, an HTTP status and a message that is safe to publish.

    Each dialect maps `code` to its own envelope. A message holds no path, no traceback and no data of another team.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    public_message: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, message: str = "", *, field: str = "") -> None:
        self.message = message or self.public_message
        self.field = field
        super().__init__(self.message)


class InvalidParameter(MattingError):
    code, http_status = "invalid_parameter", 422
    public_message = "A parameter is out of its range."


class BoxInvalid(InvalidParameter):
    code = "box_invalid"
    public_message = "A box does not lie on the picture."


class ImageError(MattingError):
    """Base of the errors that concern one picture."""

    http_status = 422


class ImageMissing(ImageError):
    code = "image_missing"
    public_message = "No picture was sent."


class ImageUnreadable(ImageError):
    code = "image_unreadable"
    public_message = "The file is not a picture that can be read."


class ImageTooLarge(ImageError):
    code, http_status = "image_too_large", 413
    public_message = "The file is too large."


class ImageDimensions(ImageError):
    code = "image_dimensions"
    public_message = "The picture has too few or too many pixels."


class InferenceFailed(MattingError):
    code = "inference_failed"
    public_message = "The model could not process this picture."


class WeightsInvalid(InvalidParameter):
    """A weights file does not fit: not a checkpoint, missing or unexpected keys, wrong shapes."""

    public_message = "The weights file does not fit the network."
