"""Read picture files: one module per format, from bytes to samples as stored.

Only `segmentation.image` calls this package, and limits bytes and pixels. A module parses its format's structure itself
where the result depends on it (colour, orientation, resolution, harmless damage, unsupported kinds) and uses a
well-maintained decoder for the pixels. Colours are converted in `segmentation.color`, not here.
"""
