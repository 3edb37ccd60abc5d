"""Read picture files: one module per format, each from bytes to samples as stored.

Called by `segmentation.image` only, which limits bytes and pixels. A module parses its format's structure itself as far
as that decides something (colour, orientation, resolution, harmless damage, unsupported kinds) and leaves pixels to a
well-kept decoder. Nothing here converts colours; that is `segmentation.color`.
"""
