"""Dialect of the UNet matting API: `single`, `batch` with its task, and `reload` of weights. See docs/api-unet.md."""
