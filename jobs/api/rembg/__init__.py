"""Dialect of rembg's server: a picture is sent by URL or as a file, and the cutout is returned as PNG.

See docs/api-rembg.md.
"""
