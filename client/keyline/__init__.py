"""The Python client of the Keyline background-removal service."""

from keyline.aio import AsyncKeyline
from keyline.client import Keyline
from keyline.model import Image, Job, KeylineError, Picture, StoredFile

__all__ = ["AsyncKeyline", "Image", "Job", "Keyline", "KeylineError", "Picture", "StoredFile"]
