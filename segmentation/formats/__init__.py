"""Readers of picture files: one module per format, which reads a file's bytes and returns the stored samples.

Only `segmentation.image` calls this package, and it limits the numbers of bytes and pixels. A module parses the file's
structure itself where the result depends on it (colour, orientation, resolution, harmless damage, unsupported kinds).
For the pixels it uses a well-maintained decoder. `segmentation.color` converts the colours.
"""
