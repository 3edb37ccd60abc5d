"""The Python client of a Keyline site, a service that removes the background of pictures."""

from keyline.aio import AsyncKeyline
from keyline.client import Keyline
from keyline.model import Image, Job, KeylineError, Picture, StoredFile

__all__ = ["AsyncKeyline", "Image", "Job", "Keyline", "KeylineError", "Picture", "StoredFile"]
