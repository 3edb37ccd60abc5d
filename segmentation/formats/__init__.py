"""Readers of picture files: one module per format, which reads a file's bytes and returns the stored samples.

`segmentation.image` calls the readers, and limits the numbers of bytes and pixels. Each reader parses the parts of a
file that decide about colour, orientation, resolution, harmless damage and unsupported kinds. For the pixels it uses a
well-maintained decoder. `segmentation.color` converts the colours.
"""
