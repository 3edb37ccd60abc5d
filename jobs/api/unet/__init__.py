"""The UNet matting API (an HTTP API, one of the site's dialects): `single`, `batch` with its task, and `reload`.

See docs/api-unet.md.
"""
