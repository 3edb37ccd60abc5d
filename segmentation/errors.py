"""MattingError, the base class of the project's errors, and the errors of pictures and models.

`jobs.errors` defines the other errors.
"""

from __future__ import annotations

from typing import ClassVar


def gettext_noop(message: str) -> str:
    """Mark a message for translation and return it unchanged.

    This replaces Django's function of the same name, because this package must not import Django.
    """
    return message


class MattingError(Exception):
    """An error with a stable `code`, an HTTP status and a public message.

    Each API translates `code` to its own error format. `public_message` may be shown to users and is translated when it
    is displayed. It contains no path, no traceback and no data of other teams.

    message: the text of this error, by default the public message.
    field: the name of the invalid parameter, or empty.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    public_message: ClassVar[str] = gettext_noop("Something went wrong on our side.")

    def __init__(self, message: str = "", *, field: str = "") -> None:
        self.message = message or self.public_message
        self.field = field
        super().__init__(self.message)


class InvalidParameter(MattingError):
    code, http_status = "invalid_parameter", 422
    public_message = gettext_noop("A parameter is not valid.")


class ParameterUnknown(InvalidParameter):
    public_message = gettext_noop("A parameter is not known.")


class BoxInvalid(InvalidParameter):
    code = "box_invalid"
    public_message = gettext_noop("A box is not valid.")


class PointInvalid(BoxInvalid):
    public_message = gettext_noop("A point is not valid.")


class ImageError(MattingError):
    """Base class of the errors that concern one picture."""

    http_status = 422


class ImageMissing(ImageError):
    code = "image_missing"
    public_message = gettext_noop("No picture was sent.")


class ImageUnreadable(ImageError):
    code = "image_unreadable"
    public_message = gettext_noop("The file is not a picture that can be read.")


class ImageTooLarge(ImageError):
    code, http_status = "image_too_large", 413
    public_message = gettext_noop("The file is too large.")


class ImageDimensions(ImageError):
    code = "image_dimensions"
    public_message = gettext_noop("The picture has too few or too many pixels.")


class ContentRefused(ImageError):
    code = "content_refused"
    public_message = gettext_noop("The picture's content is not accepted here.")


class InferenceFailed(MattingError):
    code = "inference_failed"
    public_message = gettext_noop("The model could not process this picture.")


class WeightsInvalid(InvalidParameter):
    """A weight file or its manifest is unusable, for example because of a missing key or a wrong checksum."""

    public_message = gettext_noop("The weights file does not fit the network.")
