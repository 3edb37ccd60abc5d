"""UNet matting API: `single`, `batch` with its task, and `reload` of the weights. See docs/api-unet.md."""
