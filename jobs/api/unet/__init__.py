"""The UNet matting API, an API dialect (an emulated vendor API).

`single` cuts out one picture, `batch` cuts out many pictures as one task, and `reload` activates another model. See
docs/api-unet.md.
"""
