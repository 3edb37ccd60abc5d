"""Readers of picture files: one module per format, from a file's bytes to samples as stored.

Only `segmentation.image` calls this package, and it limits the numbers of bytes and pixels. A module parses the file's
structure itself where the result depends on it (colour, orientation, resolution, harmless damage, unsupported kinds),
and uses a well-maintained decoder for the pixels. `segmentation.color` converts the colours.
"""
